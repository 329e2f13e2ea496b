// SPDX-License-Identifier: Apache-2.0
// Starts ringcast programs and Chromium for one test, reads sync marks out of a <video> element, ends all of it by pid.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const build = process.env.RINGCAST_BUILD ?? path.join(root, "build");
export const ringcast = path.join(build, "bin/ringcast");
export const quick = Boolean(process.env.RINGCAST_QUICK);

const require = createRequire(path.join(root, "build/npm/browser/package.json"));
const { chromium } = require("playwright-core");

const chromiumFlags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
];

/** A folder and processes that are gone when the test is over: `const place = workplace(t)`. */
export function workplace(t) {
  const folder = mkdtempSync(path.join(tmpdir(), "ringcast-browser-"));
  const children = [];
  t.after(async () => {
    for (const child of children.reverse()) await child.end();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    children,
    bus: `bt-${process.pid}-${path.basename(folder).replace(/[^A-Za-z0-9]/g, "")}`,
    start: (...words) => {
      const child = new Program(folder, children.length, words);
      children.push(child);
      return child;
    },
  };
}

class Program {
  constructor(folder, number, words) {
    this.words = words;
    this.log = path.join(folder, `process-${number}.log`);
    const out = openSync(this.log, "w");
    this.process = spawn(words[0], words.slice(1), { stdio: ["ignore", out, out], cwd: folder });
    closeSync(out);
    this.exited = once(this.process, "exit").then(([code, signal]) => code ?? signal);
  }

  output() {
    return readFileSync(this.log, "utf8");
  }

  running() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** The exit code, or an error with what it said after `seconds`. */
  async ends(seconds) {
    const late = Symbol("late");
    const status = await Promise.race([this.exited, sleep(seconds, late)]);
    if (status === late) throw new Error(`${this.words.join(" ")} still runs after ${seconds} s:\n${this.output()}`);
    return status;
  }

  async end() {
    if (!this.running()) return;
    this.process.kill("SIGTERM");
    await Promise.race([this.exited, sleep(20)]);
    if (this.running()) this.process.kill("SIGKILL");
    await this.exited;
  }
}

export function sleep(seconds, value) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000, value).unref());
}

/** Polls until `look()` gives something truthy; a watchdog, not a measurement. */
export async function until(look, what, seconds = 60) {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const value = await look();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${seconds} s for ${what}`);
}

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export async function answers(url) {
  return fetch(url).then((response) => response.ok, () => false);
}

/** A fresh Chromium with one empty page; what it says on its console stands in `page.complaints`. */
export async function browser(t) {
  const profile = mkdtempSync(path.join(tmpdir(), "ringcast-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium", headless: true, args: chromiumFlags, viewport: { width: 1280, height: 800 },
  });
  t.after(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => page.complaints.push(`uncaught: ${error.message}`));
  page.on("requestfailed", (request) => {
    page.complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`);
  });
  await page.addInitScript(watchVideo);
  return page;
}

/** In the page: notes every presented frame of the first <video>, with the mark its top strip shows. */
function watchVideo() {
  const seen = (window.ringcastSeen = { frames: [], times: [], waits: [] });
  const canvas = document.createElement("canvas");
  const paint = canvas.getContext("2d", { willReadFrequently: true });
  const readMark = (video) => {
    const [width, height] = [video.videoWidth, Math.floor(video.videoHeight / 18)];
    canvas.width = width;
    canvas.height = height;
    paint.drawImage(video, 0, 0, width, height, 0, 0, width, height);
    const row = paint.getImageData(0, Math.floor(height / 2), width, 1).data;
    let bits = 0;
    for (let cell = 0; cell < 24; ++cell) {
      bits = bits * 2 + (row[4 * Math.floor(((cell + 0.5) * width) / 32)] > 127 ? 1 : 0);
    }
    const index = bits >> 8;
    return (index * 37 + 11) % 256 === (bits & 255) ? index : null;
  };
  const follow = (video) => {
    const onFrame = (now, data) => {
      seen.frames.push({ mark: readMark(video), mediaTime: data.mediaTime, wall: Date.now(),
        unseen: data.presentedFrames + video.getVideoPlaybackQuality().droppedVideoFrames });
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
    video.addEventListener("timeupdate", () => seen.times.push(video.currentTime));
    video.addEventListener("waiting", () => seen.waits.push(video.currentTime));
  };
  const look = () => {
    const video = document.querySelector("video");
    if (video) follow(video);
    else setTimeout(look, 10);
  };
  look();
}

/**
 * Steps between noted pictures, as [from, to] of their `number(frame)`, which go back or in which more than `slack`
 * pictures of the stream are unaccounted for. The callback is best effort: on a busy machine the page's own thread
 * misses pictures that are shown (presentedFrames), and Chromium drops others because their moment has passed
 * (droppedVideoFrames). It counts both.
 */
export function jumps(frames, number, slack) {
  return frames.slice(1).map((frame, i) => [frames[i], frame])
    .filter(([a, b]) => number(b) < number(a) || number(b) - number(a) - (b.unseen - a.unseen) > slack)
    .map(([a, b]) => [number(a), number(b)]);
}

/** Figures and pictures for people: build/test-results/browser/NAME. */
export function keep(name, content) {
  const folder = path.join(root, "build/test-results/browser");
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  if (content !== undefined) writeFileSync(file, content);
  return file;
}
