// SPDX-License-Identifier: Apache-2.0
// A node:test reporter that writes JUnit XML; Debian's Node 18 has none of its own.

const escaped = (text) => String(text).replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

function testcase(event) {
  const { name, details, skip } = event.data;
  const head = `<testcase classname="browser" name="${escaped(name)}" time="${(details.duration_ms / 1000).toFixed(3)}">`;
  if (skip !== undefined) return `${head}<skipped/></testcase>`;
  if (event.type === "test:pass") return `${head}</testcase>`;
  const error = details.error?.cause ?? details.error;
  return `${head}<failure message="failed">${escaped(error?.stack ?? error)}</failure></testcase>`;
}

export default async function* junit(source) {
  yield '<?xml version="1.0" encoding="utf-8"?>\n<testsuite name="browser">\n';
  for await (const event of source) {
    // A file of tests is reported as a test itself; it only counts when it fails as a whole.
    const isFile = event.data?.name?.endsWith?.(".mjs");
    const isResult = event.type === "test:pass" || event.type === "test:fail";
    if (isResult && (!isFile || event.type === "test:fail")) yield `${testcase(event)}\n`;
  }
  yield "</testsuite>\n";
}
