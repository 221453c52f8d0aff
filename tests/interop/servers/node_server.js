// An echo server on Node's tls; tests/interop/peers/base.py says what the arguments mean.
"use strict";

const fs = require("fs");
const tls = require("tls");

const TIMEOUT = 20000; // milliseconds
const CURVES = { x25519: "X25519", secp256r1: "P-256", secp384r1: "P-384" };

const words = process.argv.slice(2);
const given = {};
for (let i = 0; i < words.length; i += 2) given[words[i].slice(2)] = words[i + 1];

const server = tls.createServer({
    cert: given.chain && fs.readFileSync(given.chain),
    key: given.key && fs.readFileSync(given.key),
    ca: given.clients && fs.readFileSync(given.clients),
    requestCert: Boolean(given.clients),
    rejectUnauthorized: Boolean(given.clients),
    maxVersion: "TLSv1.2",
    ciphers: "ALL:@SECLEVEL=0", // CCM_8 with its 64-bit tag is at level 0 only
    ecdhCurve: [...new Set([CURVES[given.group || "x25519"], "P-256"])].join(":"),
    pskCallback: given.psk && ((_, identity) => (identity === given.identity ? Buffer.from(given.psk, "hex") : null)),
    handshakeTimeout: TIMEOUT,
});

// Node leaves it to the program to keep what is resumed by session ID.
const sessions = new Map();
server.on("newSession", (id, data, done) => {
    sessions.set(id.toString("hex"), data);
    done();
});
server.on("resumeSession", (id, done) => done(null, sessions.get(id.toString("hex")) || null));

server.on("secureConnection", (socket) => {
    const client = given.clients ? socket.getPeerCertificate().subject.CN : "-";
    const resumed = socket.isSessionReused() ? "yes" : "no";
    console.log(`connected suite=${socket.getCipher().standardName} resumed=${resumed} client=${client}`);
    socket.setTimeout(TIMEOUT, () => socket.destroy());
    socket.on("error", (error) => console.log("failed", error.message));
    socket.pipe(socket);
});
server.on("tlsClientError", (error) => console.log("failed", error.message));
server.listen(0, "127.0.0.1", () => console.log("ready", server.address().port));

process.stdin.on("end", () => process.exit(0)).resume();
