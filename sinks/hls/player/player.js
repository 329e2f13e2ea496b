// SPDX-License-Identifier: Apache-2.0
// The player page: waits for the playlist, plays an event from its start and a live stream near its edge, recovers by
// itself from lost connections, restarts and stalls, and goes on to the next stream after an end.
// States, also in <body data-state>: waiting connecting playing paused buffering reconnecting ended.
'use strict';

(() => {
  const element = (id) => document.getElementById(id);
  const video = element('video');
  const playlist = new URL('index.m3u8', document.baseURI).href;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  const labels = {
    waiting: 'Waiting for the stream to begin',
    connecting: 'Loading',
    reconnecting: 'Connection lost, trying again',
  };

  // In segments. A segment is added when it is whole: two behind the edge, one is always there to be played.
  const liveDelay = 2;
  const mostLiveDelay = 3;
  const stuckAfterMs = 12000;

  let state = 'waiting';
  let hls = null;
  let details = null; // the newest playlist hls.js has read
  let mediaErrors = [];
  let retries = 0;
  let stream = null; // the server's name and mode of what is being played
  let awaitsNext = false;
  let reopening = false;
  let seenPlaylist = ''; // without hls.js: as it was when the player last stood still
  let moved = { position: 0, at: performance.now() };

  function setState(next) {
    if (next === state) return;
    state = next;
    document.body.dataset.state = next;
    element('badge').textContent = next;
  }

  // The server holds this request until there is a playlist (of another stream than `after`), so waiting is one quiet
  // request every ten seconds.
  async function waitForPlaylist(after) {
    for (let wait = 1000; ; wait = Math.min(1.5 * wait, 5000)) {
      try {
        const reply = await fetch(after ? `ready?after=${after}` : 'ready', { cache: 'no-store' });
        const answer = reply.ok ? await reply.json() : {};
        if (answer.ready) return answer;
        if (!reply.ok) await pause(wait);
        else wait = 1000;
      } catch {
        if (!video.ended) setState('reconnecting');
        await pause(wait);
      }
    }
  }

  async function begin() {
    if (window.Hls && Hls.isSupported()) prepareHlsJs();
    load(await waitForPlaylist(), 0);
  }

  function load(next, position) {
    // Another stream than the one that broke off plays from its start, a live one from its edge.
    const same = stream && stream.stream === next.stream;
    const live = next.mode === 'live';
    stream = next;
    setState('connecting');
    if (hls) {
      hls.config.startPosition = live ? -1 : same ? position : 0;
      hls.config.liveMaxLatencyDurationCount = live ? mostLiveDelay : Infinity;
      hls.config.maxLiveSyncPlaybackRate = live ? 1.05 : 1;
      hls.loadSource(playlist);
    } else if (video.canPlayType('application/vnd.apple.mpegurl')) {
      video.src = playlist;
      if (same && !live) video.currentTime = position;
    } else {
      element('cover-text').textContent = 'This browser can play no HLS stream';
      return;
    }
    play();
  }

  // What is buffered plays on until the server answers; only then everything is set up anew.
  async function reopen(position) {
    if (reopening) return;
    reopening = true;
    const next = await waitForPlaylist();
    reopening = false;
    const reached = Math.max(position, video.currentTime);
    if (hls) {
      hls.destroy();
      details = null;
      prepareHlsJs();
    }
    moved = { position: reached, at: performance.now() };
    load(next, reached);
  }

  // Everything that needs no playlist happens while waiting for it: the first picture comes that much sooner.
  function prepareHlsJs() {
    hls = new Hls({
      backBufferLength: 120, maxBufferLength: 60, liveSyncDurationCount: liveDelay,
      liveMaxLatencyDurationCount: Infinity, xhrSetup: askForNextSegment,
    });
    hls.on(Hls.Events.LEVEL_UPDATED, (_, data) => {
      details = data.details;
      retries = 0;
      const name = /^#ringcast-stream:(.*)$/m.exec(details.m3u8);
      if (name && stream && name[1] !== stream.stream) reopen(0);
    });
    hls.on(Hls.Events.ERROR, (_, data) => {
      if (data.fatal) recover(data);
    });
    hls.attachMedia(video);
  }

  // A reload names the segment it waits for and the server answers when that is there; asking blindly, a player that
  // comes a moment too early asks again a second later, and that is a stall at the live edge.
  function askForNextSegment(xhr, url) {
    if (url.startsWith(playlist) && details && details.live) {
      xhr.open('GET', `${playlist}?_HLS_msn=${details.endSN + 1}`, true);
    }
  }

  function play() {
    // Refused only when the browser wants a click first; the controls are there for that.
    video.play().catch(() => {});
  }

  async function recover(error) {
    const failed = hls;
    if (hls && error.type === Hls.ErrorTypes.MEDIA_ERROR) {
      const now = performance.now();
      mediaErrors = mediaErrors.filter((time) => now - time < 10000).concat(now);
      if (mediaErrors.length < 3) return hls.recoverMediaError();
      mediaErrors = [];
      return reopen(video.currentTime);
    }
    setState('reconnecting');
    await pause(Math.min(1000 * 1.7 ** retries++, 15000));
    return hls === failed ? reopen(video.currentTime) : undefined;
  }

  async function goOnToNext() {
    if (awaitsNext || !stream) return;
    awaitsNext = true;
    await waitForPlaylist(stream.stream);
    awaitsNext = false;
    // Whoever watches again meanwhile is asked at the next end.
    if (video.ended) reopen(0);
  }

  // The last resort, for whatever kept the player from going on although there is something to play.
  function watchProgress() {
    const now = performance.now();
    const waits = video.paused || video.ended || !stream || (hls && !details) || state === 'reconnecting';
    if (waits || Math.abs(video.currentTime - moved.position) > 0.01) {
      moved = { position: video.currentTime, at: now };
    } else if (now - moved.at > stuckAfterMs) {
      if (!hls) reopenIfThereIsMore();
      else if (details.edge - video.currentTime > 0.5) reopen(video.currentTime + 0.1);
      else return;
      moved.at = now;
    }
  }

  // What a browser's own player has read it does not tell, nor that it has given up: the server knows whether there is
  // something new. When it does not answer, the page waits for it and begins anew.
  async function reopenIfThereIsMore() {
    const text = await fetch(playlist, { cache: 'no-store' }).then((reply) => (reply.ok ? reply.text() : ''), () => '');
    if (text && text === seenPlaylist) return;
    seenPlaylist = text;
    reopen(video.currentTime + 0.1);
  }

  function bufferedAhead() {
    const { buffered, currentTime } = video;
    for (let i = 0; i < buffered.length; i++) {
      if (buffered.start(i) <= currentTime + 0.1 && buffered.end(i) > currentTime) return buffered.end(i) - currentTime;
    }
    return 0;
  }

  function clock(seconds) {
    const minutes = Math.floor(seconds / 60);
    return `${minutes}:${(seconds - 60 * minutes).toFixed(1).padStart(4, '0')}`;
  }

  function playbackState() {
    if (video.ended) return 'ended';
    if (state === 'reconnecting' && bufferedAhead() < 0.1) return state;
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return state;
    if (video.paused) return 'paused';
    return video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA ? 'buffering' : 'playing';
  }

  function show() {
    setState(playbackState());
    const hasPicture = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    element('cover').hidden = hasPicture || !(state in labels);
    if (state in labels) element('cover-text').textContent = labels[state];
    watchProgress();
    element('unmute').hidden = !(video.muted && hasPicture) || state === 'ended';
    element('again').hidden = state !== 'ended' || stream?.mode === 'live';

    element('position').textContent = clock(video.currentTime);
    element('buffered').textContent = `${bufferedAhead().toFixed(1)} s`;
    element('behind').textContent = !details ? '–'
      : details.live ? `${Math.max(0, details.edge - video.currentTime).toFixed(1)} s`
      : `complete, ${clock(details.edge)}`;
    const quality = video.getVideoPlaybackQuality && video.getVideoPlaybackQuality();
    element('dropped').textContent = quality ? quality.droppedVideoFrames : '–';
    element('picture').textContent = video.videoWidth ? `${video.videoWidth} × ${video.videoHeight}` : '–';
  }

  element('unmute').addEventListener('click', () => {
    video.muted = false;
    play();
    show();
  });
  element('again').addEventListener('click', () => {
    video.currentTime = 0;
    play();
  });
  video.addEventListener('loadedmetadata', () => {
    if (video.videoWidth) element('stage').style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
  });
  for (const name of ['playing', 'pause', 'waiting', 'ended', 'seeked', 'volumechange']) video.addEventListener(name, show);
  video.addEventListener('ended', goOnToNext);
  // hls.js tells of its errors itself.
  video.addEventListener('error', () => {
    if (!hls && stream) recover(video.error);
  });
  video.addEventListener('playing', () => {
    if (!hls) retries = 0;
  });
  setInterval(show, 250);
  begin();
})();
