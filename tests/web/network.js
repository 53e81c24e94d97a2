// The network between browsers and the daemon: a port of its own, from which everything goes on to
// the daemon's. It breaks when a test wants it to, and it is the one place where something is
// played: a frame that no sound daemon sends can be put in (`insert`), to see that the page bears
// it, or that it shows what a daemon would need days for.

import { EventEmitter, once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { untilEvent } from './daemon.js';

const kText = 1;
const kSpoilt = Buffer.from([0x80 | kText, 0x80 | 1, 0, 0, 0, 0, 0x7b]);   // a "{", masked by zeros

// Cuts a stream of WebSocket frames (RFC 6455, section 5.2) into whole ones: [raw, opcode, payload].
class Frames {
  #bytes = Buffer.alloc(0);

  *add(bytes) {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (let frame = this.#next(); frame; frame = this.#next()) yield frame;
  }

  #next() {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const short = bytes[1] & 0x7f;
    let at = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < at) return null;
    const size = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    const mask = bytes[1] & 0x80 ? bytes.subarray(at, at += 4) : null;
    if (bytes.length < at + size) return null;
    const payload = Buffer.from(bytes.subarray(at, at + size));
    if (mask) payload.forEach((byte, index) => { payload[index] = byte ^ mask[index % 4]; });
    this.#bytes = bytes.subarray(at + size);
    return [bytes.subarray(0, at + size), bytes[0] & 0x0f, payload];
  }
}

function textFrame(text) {
  const payload = Buffer.from(text);
  const size = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([0x80 | kText, ...size]), payload]);
}

export class Network extends EventEmitter {
  #server = createServer((near) => this.#carry(near));
  #pairs = new Set();
  frames = [];        // what pages said, whether it arrived or not
  answers = [];       // what they were told
  lost = new Set();   // frames of these types do not arrive, in either direction
  spoilt = new Set(); // frames of these types arrive as something else
  cuts = [];          // the connection breaks where a frame of this type would have arrived, once each
  gone = false;       // nobody can connect
  instead = null;     // whoever connects gets this page, and not the daemon

  static async before(daemon) {
    const network = new Network();
    network.daemon = daemon;
    network.#server.listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    network.port = network.#server.address().port;
    return network;
  }

  // To the daemon goes who has something to say: whoever is silent for a second is a person there,
  // and the time until the first bytes would be this process's, not the browser's.
  #carry(near) {
    if (this.gone) return near.resetAndDestroy();
    const pair = { near, far: null, answered: false, isPage: false };
    this.#pairs.add(pair);
    near.on('error', () => {}).on('close', () => this.#pairs.delete(pair));
    near.once('data', (bytes) => {
      if (this.instead !== null) near.end(answerOf(this.instead));
      else this.#join(pair, bytes);
    });
  }

  #join(pair, bytes) {
    const { near } = pair;
    const far = pair.far = createConnection(this.daemon.port, '127.0.0.1');
    for (const [from, to] of [[near, far], [far, near]]) {
      from.setNoDelay();
      from.on('error', () => {});
      from.on('end', () => to.end());
      from.on('close', () => to.destroySoon());
      from.on('data', this.#reader(pair, from, to));
    }
    far.write(bytes);
  }

  // HTTP passes as it is. Behind an answer that opens a WebSocket come frames.
  #reader(pair, from, to) {
    const frames = new Frames();
    let head = Buffer.alloc(0);
    return (bytes) => {
      if (from === pair.far && !pair.answered) {
        head = Buffer.concat([head, bytes]);
        const end = head.indexOf('\r\n\r\n') + 4;
        if (end < 4) return;
        pair.answered = true;
        pair.isPage = head.subarray(9, 12).toString() === '101';
        to.write(head.subarray(0, end));
        bytes = head.subarray(end);
      }
      if (!pair.isPage) to.write(bytes);
      else for (const frame of frames.add(bytes)) this.#pass(pair, from, to, frame);
    };
  }

  #pass(pair, from, to, [raw, opcode, payload]) {
    const frame = opcode === kText ? JSON.parse(payload) : {};
    if (opcode === kText) (from === pair.near ? this.frames : this.answers).push(frame);
    const cut = this.cuts.indexOf(frame.type);
    if (cut >= 0) {
      this.cuts.splice(cut, 1);
      breakBoth(pair);
    } else if (!this.lost.has(frame.type)) {
      to.write(this.spoilt.has(frame.type) ? kSpoilt : raw);
    }
    this.emit('frame');
  }

  /// All connections break; whoever comes is connected.
  cut() {
    for (const pair of this.#pairs) breakBoth(pair);
  }

  /// There is no network until start().
  stop() {
    this.gone = true;
    this.cut();
  }

  start() { this.gone = false; }

  /// Every page that is connected is told this, as if the daemon had said it.
  insert(frame) {
    for (const { near, isPage } of this.#pairs) if (isPage) near.write(textFrame(JSON.stringify(frame)));
  }

  /// Waits until the frames of pages satisfy this.
  until(condition) {
    return untilEvent(this, 'frame', () => condition(this.frames),
      () => `pages did not say it; they said ${JSON.stringify(this.frames.slice(-5))}`);
  }

  async close() {
    this.#server.close();
    this.cut();
  }
}

function answerOf(page) {
  return `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${Buffer.byteLength(page)}\r\nConnection: close\r\n\r\n${page}`;
}

function breakBoth({ near, far }) {
  near.destroy();
  far?.destroy();
}
