// SPDX-License-Identifier: Apache-2.0
// The player page: waits for the playlist, plays it from the start, recovers by itself, shows where it stands.
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

  let state = 'waiting';
  let hls = null;
  let details = null; // the newest playlist hls.js has read
  let mediaErrors = [];
  let retries = 0;
  let stream = null; // the server's name for what is being played

  function setState(next) {
    if (next === state) return;
    state = next;
    document.body.dataset.state = next;
    element('badge').textContent = next;
  }

  // The server holds this request until there is a playlist, so waiting is one quiet request every ten seconds.
  async function waitForPlaylist() {
    for (;;) {
      try {
        const reply = await fetch('ready', { cache: 'no-store' });
        const answer = reply.ok ? await reply.json() : {};
        if (answer.ready) return answer.stream;
        if (!reply.ok) await pause(1000);
      } catch {
        setState('reconnecting');
        await pause(1000);
      }
    }
  }

  async function open(position) {
    close();
    if (position === 0) setState('waiting');
    if (window.Hls && Hls.isSupported()) prepareHlsJs();
    const current = await waitForPlaylist();
    // Another stream than the one that broke off plays from its start.
    const start = current === stream ? position : 0;
    stream = current;
    setState('connecting');
    if (hls) {
      hls.config.startPosition = start;
      hls.loadSource(playlist);
    } else if (video.canPlayType('application/vnd.apple.mpegurl')) {
      video.src = playlist;
      video.currentTime = start;
    } else {
      element('cover-text').textContent = 'This browser can play no HLS stream';
      return;
    }
    play();
  }

  function close() {
    if (hls) hls.destroy();
    hls = null;
    details = null;
  }

  // Everything that needs no playlist happens while waiting for it: the first picture comes that much sooner.
  function prepareHlsJs() {
    hls = new Hls({ backBufferLength: 120, maxBufferLength: 60, xhrSetup: askForNextSegment });
    hls.on(Hls.Events.LEVEL_UPDATED, (_, data) => {
      details = data.details;
      retries = 0;
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
    const position = video.currentTime;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) {
      const now = performance.now();
      mediaErrors = mediaErrors.filter((time) => now - time < 10000).concat(now);
      if (mediaErrors.length < 3) return hls.recoverMediaError();
      mediaErrors = [];
      return open(position);
    }
    setState('reconnecting');
    await pause(Math.min(1000 * 1.7 ** retries++, 15000));
    if (hls !== failed) return undefined;
    return open(position);
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
    element('unmute').hidden = !(video.muted && hasPicture) || state === 'ended';
    element('again').hidden = state !== 'ended';

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
  setInterval(show, 250);
  open(0);
})();
