// SPDX-License-Identifier: Apache-2.0
// node-media-server on a loopback port: node server.cjs PORT. It would listen on every interface, hence the patch.
"use strict";
const net = require("node:net");

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, port, "127.0.0.1", ...rest);
};

const NodeMediaServer = require("node-media-server");
const server = new NodeMediaServer({
  logType: 2,
  rtmp: { port: Number(process.argv[2]), chunk_size: 60000, gop_cache: true, ping: 30, ping_timeout: 60 },
});
server.run();
