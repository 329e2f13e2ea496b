// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { answers, browser, freePort, jumps, keep, ringcast, until, workplace } from "./support.mjs";

const seconds = 12;
const fps = 25;

test("page plays every stretch of the test source from the first frame to the last", { timeout: 180_000 }, async (t) => {
  const place = workplace(t);
  const url = `http://127.0.0.1:${await freePort()}/`;
  const sink = place.start(ringcast, "sink", "hls", "--bus", place.bus, "dir=hls", `listen=${new URL(url).host}`);
  const page = await browser(t);
  const source = place.start(ringcast, "testsrc", "--bus", place.bus, "--size", "640x360", "--fps", `${fps}`,
    "--seconds", `${seconds}`, "--wait-readers", "1");
  await until(() => source.output().includes("on air"), "the first frame");
  const began = Date.now();
  await until(() => answers(url), "the page");
  await page.goto(url);
  await until(() => page.evaluate(() => window.ringcastSeen.frames.length > 0), "the first picture");
  const first = await page.evaluate(() => window.ringcastSeen.frames[0].wall);
  keep("first-picture.json", JSON.stringify({ first_picture_ms: first - began }));
  t.diagnostic(`first picture ${first - began} ms after the first frame`);

  await page.waitForFunction(() => document.querySelector("video").ended, null, { timeout: 90_000 });
  assert.equal(await source.ends(10), 0, source.output());
  const seen = await page.evaluate(() => window.ringcastSeen);
  await page.screenshot({ path: keep("testsrc.png") });

  const marks = seen.frames.map((frame) => frame.mark);
  assert.ok(marks.every((mark) => mark !== null), `every picture shows a readable mark: ${marks}`);
  assert.ok(marks[0] <= 2, `begins at the first frame, not at ${marks[0]}`);
  assert.ok(marks.at(-1) >= seconds * fps - 3, `plays to the last frame, not to ${marks.at(-1)}`);
  // Sound begins before the first picture (AAC's delay), so times count from the last one. A busy page may read its
  // pixels only when the next ones are there, the first time above all.
  const last = seen.frames.at(-1);
  const number = ({ mediaTime }) => Math.round(last.mark + (mediaTime - last.mediaTime) * fps);
  const ahead = seen.frames.map((frame) => frame.mark - number(frame));
  assert.ok(ahead.every((steps) => steps >= 0 && steps <= 2), `each picture stands where its number says: ${ahead}`);
  assert.deepEqual(jumps(seen.frames, number, 1), [], "no picture is missing");
  assert.ok(marks.length > seconds * fps * 0.8, `most pictures were looked at, not ${marks.length}`);
  assert.ok(seen.times.length > 5 && seen.times.every((time, i) => i === 0 || time >= seen.times[i - 1]),
    `currentTime advances: ${seen.times}`);
  assert.deepEqual(page.complaints, [], "the console is clean");
  sink.process.kill("SIGTERM");
  assert.equal(await sink.ends(20), 0, sink.output());
});

test("page opened in the middle of a stream begins at its start", { timeout: 120_000 }, async (t) => {
  const place = workplace(t);
  const url = `http://127.0.0.1:${await freePort()}/`;
  place.start(ringcast, "sink", "hls", "--bus", place.bus, "dir=hls", `listen=${new URL(url).host}`);
  place.start(ringcast, "testsrc", "--bus", place.bus, "--size", "640x360", "--fps", `${fps}`, "--seconds", "20",
    "--wait-readers", "1");
  await until(() => answers(new URL("segment-00002.ts", url)), "the third segment");
  const page = await browser(t);
  await page.goto(url);
  await until(() => page.evaluate(() => window.ringcastSeen.frames.length > 3 * 25), "three seconds of pictures");
  const marks = await page.evaluate(() => window.ringcastSeen.frames.map((frame) => frame.mark));
  assert.ok(marks[0] <= 2, `begins at the first frame, not at ${marks[0]}`);
  assert.deepEqual(page.complaints, [], "the console is clean");
});
