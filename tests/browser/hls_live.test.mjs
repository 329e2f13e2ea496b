// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import test from "node:test";
import { answers, browser, freePort, keep, ringcast, until, workplace } from "./support.mjs";

const soak = Boolean(process.env.RINGCAST_SOAK);
const watchSeconds = soak ? 180 : 18;
const fps = 25;

/** A sink with a page on a bus with an endless test source, unless said otherwise, and the page open. */
async function onAir(t, { words = [], source = [], native = false }) {
  const place = workplace(t);
  const url = `http://127.0.0.1:${await freePort()}/`;
  const startSink = () => place.start(ringcast, "sink", "hls", "--bus", place.bus, "dir=hls",
    `listen=${new URL(url).host}`, ...words);
  const startSource = (...more) => place.start(ringcast, "testsrc", "--bus", place.bus, "--size", "320x180", "--fps",
    `${fps}`, "--wait-readers", "1", ...more);
  const sink = startSink();
  startSource(...source);
  await until(() => answers(url), "the page");
  const page = await browser(t);
  // The browser's own player, as on an iPhone, where hls.js cannot run.
  const empty = { body: "", contentType: "text/javascript" };
  if (native) await page.route("**/hls.min.js", (route) => route.fulfill(empty));
  await page.goto(url);
  await until(() => page.evaluate((wanted) => window.ringcastSeen.frames.length > wanted, fps), "a second of pictures");
  return { place, url, page, sink, startSink, startSource };
}

const lastMark = (page) => page.evaluate(() => window.ringcastSeen.frames.at(-1).mark);
const state = (page) => page.evaluate(() => document.body.dataset.state);

/** The page plays, seen in `frames` more pictures than there were. */
async function playsOn(page, frames, what) {
  const before = await page.evaluate(() => window.ringcastSeen.frames.length);
  await until(() => page.evaluate((wanted) => window.ringcastSeen.frames.length >= wanted, before + frames), what, 90);
}

for (const type of soak ? ["ts", "fmp4"] : ["ts"]) {
  test(`live page stays within three segments of the edge (${type})`, { timeout: 400_000 }, async (t) => {
    const { page } = await onAir(t, { words: ["mode=live", `segment_type=${type}`] });
    const seen = await page.evaluate(async (seconds) => {
      const behind = [];
      const from = performance.now();
      while (performance.now() - from < 1000 * seconds) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        const text = await (await fetch("index.m3u8", { cache: "no-store" })).text();
        const lengths = [...text.matchAll(/#EXTINF:([\d.]+)/g)].map((match) => Number(match[1]));
        const shown = Number.parseFloat(document.getElementById("behind").textContent);
        behind.push({ shown, segment: Math.max(...lengths), count: lengths.length });
      }
      const video = document.querySelector("video");
      return { behind, played: video.currentTime, waits: window.ringcastSeen.waits.length };
    }, watchSeconds);
    keep(`live-${type}.json`, JSON.stringify(seen));
    const late = seen.behind.filter(({ shown, segment }) => !(shown <= 3 * segment));
    assert.deepEqual(late, [], `never more than three segments behind the edge`);
    assert.ok(seen.behind.every(({ count }) => count <= 6), "the playlist keeps to its window");
    assert.deepEqual(page.complaints, [], "the console is clean");
    const marks = await page.evaluate(() => window.ringcastSeen.frames.map((frame) => frame.mark));
    const back = marks.slice(1).filter((mark, i) => mark !== null && marks[i] !== null && mark < marks[i]);
    assert.deepEqual(back, [], "pictures never go back");
  });
}

const restarts = [
  { words: ["mode=event", "segment_type=fmp4"], native: false },
  { words: ["mode=live"], native: true },
  { words: ["mode=live"], native: false },
  { words: ["mode=event"], native: true },
];
for (const { words, native } of restarts.slice(0, soak ? 4 : 2)) {
  const player = native ? "the browser's own player" : "hls.js";
  const name = `page goes on by itself when the sink is killed and started again (${words.join(" ")}, ${player})`;
  test(name, { timeout: 240_000 }, async (t) => {
    const { page, sink, startSink } = await onAir(t, { words, native });
    await playsOn(page, 2 * fps, "two more seconds");
    sink.process.kill("SIGKILL");
    await sink.exited;
    await until(async () => (await state(page)) === "reconnecting" || (await state(page)) === "buffering",
      "the page to notice");
    const before = await lastMark(page);
    startSink();
    await until(async () => (await lastMark(page)) > before + fps, "pictures from after the restart", 90);
    await playsOn(page, 2 * fps, "it to play on");
    const position = await page.evaluate(() => document.querySelector("video").currentTime);
    if (words[0] === "mode=event") assert.ok(position > 4, `it goes on where it was, not at ${position} s`);
  });
}

test("page moves on to the next stream by itself after an end", { timeout: 240_000 }, async (t) => {
  const { page, startSource } = await onAir(t, { source: ["--seconds", "3"] });
  await until(async () => (await state(page)) === "ended", "the end");
  assert.equal(await page.evaluate(() => document.getElementById("again").hidden), false, "it can be watched again");
  startSource("--seconds", "3");
  await until(async () => (await state(page)) === "playing", "the next stream");
  await until(async () => (await state(page)) === "ended", "the end of the next stream");
  const marks = await page.evaluate(() => window.ringcastSeen.frames.map((frame) => frame.mark));
  const joint = marks.findIndex((mark, i) => i > 0 && mark < marks[i - 1]);
  const around = marks.slice(joint - 2, joint + 2);
  assert.ok(joint > 0 && marks[joint] <= 2, `the next stream begins at its first picture: ${around}`);
  assert.ok(marks.at(-1) >= 3 * fps - 3, `and plays to its last, not to ${marks.at(-1)}`);
  assert.deepEqual(page.complaints, [], "the console is clean");
});

test("page waits out a stall of the producer and goes on by itself", { timeout: 240_000 }, async (t) => {
  const { page, place } = await onAir(t, { words: ["mode=live", "on_stall=wait"] });
  const source = place.children.find((child) => child.words.includes("testsrc"));
  source.process.kill("SIGSTOP");
  await until(async () => (await state(page)) === "buffering", "the page to run dry");
  const before = await lastMark(page);
  source.process.kill("SIGCONT");
  await until(async () => (await lastMark(page)) > before + 2 * fps, "pictures from after the stall", 90);
});
