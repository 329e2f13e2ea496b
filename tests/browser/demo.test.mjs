// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import test from "node:test";
import { browser, freePort, jumps, keep, quick, root, until, workplace } from "./support.mjs";

const speech = "The quick brown fox jumps over the lazy dog, and nobody in the audience seems to mind at all. " +
  "She sells sea shells by the sea shore, while the tide comes in and goes out again. " +
  "Every word of this should move the mouth, every pause should close it. " +
  "大家好，欢迎收看今天的节目。 And that was Chinese. Thank you for watching.";
const seconds = quick ? 8 : 30;

/** Runs the demo with `words`, watches its page to the end, returns what was seen. */
async function watchDemo(t, name, words) {
  const place = workplace(t);
  const page = await browser(t);
  const port = await freePort();
  const demo = place.start(path.join(root, "tools/demo"), "--port", `${port}`, "--dir", path.join(place.folder, "demo"),
    "--seconds", `${seconds}`, "--linger", "40", ...words(place));
  const url = `http://127.0.0.1:${port}/`;
  await until(() => demo.output().includes(url) || !demo.running(), "the demo's URL", 300);
  assert.ok(demo.running(), demo.output());
  await page.goto(url);
  await until(() => page.evaluate(() => window.ringcastSeen.frames.length > 50), "pictures");
  await page.screenshot({ path: keep(`${name}.png`) });
  await page.waitForFunction(() => document.querySelector("video").ended, null, { timeout: 120_000 });
  const seen = await page.evaluate(() => ({ ...window.ringcastSeen, duration: document.querySelector("video").duration }));
  // The page asks for the next show from here on, and a server that is gone is an error on the console.
  const complaints = [...page.complaints];
  // Nobody watches any more: a signal cuts the rest of --linger short.
  demo.process.kill("SIGTERM");
  assert.equal(await demo.ends(30), 0, demo.output());
  return { complaints, seen, demo, place };
}

function assertPlayedThrough({ complaints, seen, demo }) {
  const { frames, times, duration } = seen;
  assert.ok(Math.abs(duration - seconds) < 0.5, `the page's stream is ${duration} s long`);
  assert.ok(frames[0].mediaTime < 0.2, `begins at the first frame, not at ${frames[0].mediaTime} s`);
  assert.ok(frames.at(-1).mediaTime > seconds - 0.5, `plays to the last frame, not to ${frames.at(-1).mediaTime} s`);
  assert.ok(times.every((time, i) => i === 0 || time >= times[i - 1]), `currentTime advances: ${times}`);
  assert.deepEqual(jumps(frames, (frame) => Math.round(frame.mediaTime * 25), 2), [], "no picture is missing");
  assert.deepEqual(complaints, [], "the console is clean");
  assert.match(demo.output(), /ended well: 00:\d\d\.\d of media, \d+ frames, 0 lost/);
}

test("demo plays a speech from text in the browser from first to last", { timeout: 600_000 }, async (t) => {
  assertPlayedThrough(await watchDemo(t, "avatar-text", () => ["--text", speech]));
});

test("demo plays a speech from a wav in the browser from first to last", { timeout: 600_000 }, async (t) => {
  assertPlayedThrough(await watchDemo(t, "avatar-wav", (place) => {
    const wav = path.join(place.folder, "speech.wav");
    execFileSync("espeak-ng", ["-w", wav, speech]);
    return ["--wav", wav];
  }));
});
