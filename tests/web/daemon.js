// The real chatd, in a folder of its own, and an operator at its control socket. What
// tests/harness/daemons.py and operators.py are for the tests in Python, as far as it is needed.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const kGuard = 120_000;   // ends a test; says nothing about speed

const kProgram = process.env.CHATD ?? fileURLToPath(new URL('../../build/release/bin/chatd', import.meta.url));
// Words that a sound daemon never prints.
const kReports = /runtime error|Sanitizer|[Aa]ssert|uv_loop_close|terminate called|pure virtual/;

// Many visitors come from one address here.
const kLimits = { sessions_per_address: 0, connects_per_second: 0, bytes_per_second: '0B' };

// Resolves with what `find` gives, asked again at each event of that emitter.
export async function untilEvent(emitter, event, find, tell) {
  const guard = AbortSignal.timeout(kGuard);
  for (;;) {
    const found = find();
    if (found) return found;
    await once(emitter, event, { signal: guard }).catch((error) => {
      throw error.name === 'AbortError' ? new Error(tell()) : error;
    });
  }
}

// Tables with flat values, and tables in tables. JSON's strings are valid TOML.
function toml(config, within = '') {
  return Object.entries(config).map(([name, content]) => {
    const path = within + (/^[\w-]+$/.test(name) ? name : JSON.stringify(name));
    const tables = Array.isArray(content) ? content : [content];
    return tables.map((table) => {
      const isTable = (value) => typeof value === 'object' && !Array.isArray(value);
      const flat = Object.entries(table).filter(([, value]) => !isTable(value));
      const deep = Object.entries(table).filter(([, value]) => isTable(value));
      const head = Array.isArray(content) ? `[[${path}]]` : `[${path}]`;
      return [head, ...flat.map(([key, value]) => `${key} = ${JSON.stringify(value)}`), toml(Object.fromEntries(deep), `${path}.`)].join('\n');
    }).join('\n');
  }).join('\n');
}

// A certificate that nobody has to trust, for the host: its path and that of its key.
export function makeCertificate(folder, host) {
  const [certificate, key] = [join(folder, 'chat.pem'), join(folder, 'chat.key')];
  const kind = /^[\d.]+$/.test(host) ? 'IP' : 'DNS';
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${host}`, '-addext', `subjectAltName=${kind}:${host}`, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  return { tls_certificate: certificate, tls_key: key };
}

export class Daemon extends EventEmitter {
  /// `config`: tables of chatd.toml, to which a listener on a free port is added. With `secure` it
  /// has a certificate; with `limits: 'default'` the limits are those that chatd comes with.
  static async start(config = {}, { secure = false, limits = 'none' } = {}) {
    const daemon = new Daemon();
    daemon.home = mkdtempSync(join(tmpdir(), 'chatd-'));
    daemon.control = join(daemon.home, 'run', 'control.sock');
    daemon.listen = { address: '127.0.0.1', port: 0, ...(secure && makeCertificate(daemon.home, '127.0.0.1')) };
    daemon.limits = limits === 'default' ? {} : kLimits;
    daemon.write(config);
    await daemon.run();
    return daemon;
  }

  write(config) {
    this.config = config;
    const { limits, listen, ...rest } = config;
    const all = { listen: [{ ...this.listen, ...listen }], limits: { ...this.limits, ...limits }, control: { path: this.control }, ...rest };
    writeFileSync(join(this.home, 'chatd.toml'), toml(all));
  }

  /// Starts it, and waits until it serves: at the port that it had before, if it had one.
  async run() {
    const environment = Object.entries(process.env).filter(([name]) => !/^CHATD|_DIRECTORY$|^NOTIFY_SOCKET$|^LISTEN_FDS|^FDSTORE$/.test(name));
    this.log = '';
    this.child = spawn(kProgram, ['--config', join(this.home, 'chatd.toml'), '--console', 'off'], {
      cwd: this.home,
      env: { ...Object.fromEntries(environment), HOME: this.home, XDG_RUNTIME_DIR: this.home, XDG_STATE_HOME: this.home },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.log += text;
      this.emit('log');
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      this.log += `\nchatd ended: ${code ?? signal}\n`;
      this.emit('log');
      return code ?? signal;
    });
    await this.logged(/operators attach at/);
    const [, port] = await this.logged(/listening on 127\.0\.0\.1:(\d+)/);
    this.listen.port = Number(port);
    this.write(this.config);
  }

  get port() { return this.listen.port; }

  /// Knows this address as one of browsers from now on, whose connections may be silent for a while
  /// before they ask: on a machine that is busy a browser, or the test's own network, takes a second
  /// to say something easily, and would be taken for a person.
  async meetBrowser() {
    for (let answered = false; !answered;) {
      const socket = createConnection(this.port, '127.0.0.1');
      socket.on('error', () => {}).on('data', () => { answered = true; });
      socket.setTimeout(2000, () => socket.destroy()).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(socket, 'close');
    }
  }

  /// Waits for the words in its log, behind what stood there before.
  async logged(pattern, before = 0) {
    return untilEvent(this, 'log', () => {
      const found = this.log.slice(before).match(pattern);
      assert.ok(found || !this.log.includes('\nchatd ended: '), this.log);
      return found;
    }, () => `${pattern} is not in the log: ${this.log}`);
  }

  /// Puts another process in its place, which goes on with its sessions.
  async handOver() {
    const before = this.log.length;
    this.child.kill('SIGUSR2');
    for (const words of [/goes on with/, /operators attach at/, /listening on/]) await this.logged(words, before);
    assert.doesNotMatch(this.log.slice(before), /does not hand over/);
  }

  async reload(config) {
    const before = this.log.length;
    this.write(config);
    this.child.kill('SIGHUP');
    await this.logged(/reload/i, before);
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /// Ends it in order, and looks at what it said.
  async end() {
    this.child.kill('SIGTERM');
    assert.equal(await this.ended, 0, this.log);
    assert.doesNotMatch(this.log, kReports);
  }

  remove() {
    this.child.kill('SIGKILL');   // if it has not ended
    rmSync(this.home, { recursive: true, force: true });
  }
}

export class Operator extends EventEmitter {
  /// All events from now on are kept in `events`; with `since`, also those after that number.
  static async attach(daemon, name, { since, events = [] } = {}) {
    const one = new Operator();
    one.events = events;
    one.answers = new Map();
    one.last = 0;
    one.socket = createConnection(daemon.control);
    await once(one.socket, 'connect');
    one.socket.on('error', () => {});
    one.closed = once(one.socket, 'close');
    createInterface({ input: one.socket }).on('line', (line) => one.#told(JSON.parse(line)));
    await one.call('hello', { name });
    await one.call('subscribe', since === undefined ? {} : { since });
    return one;
  }

  #told({ id, result, error, method, params }) {
    if (method) {
      this.events.push({ method, ...params });
      this.emit('event');
      return;
    }
    const answer = this.answers.get(id);
    this.answers.delete(id);
    if (error) answer?.reject(new Error(`${error.code}: ${error.message}`));
    else answer?.resolve(result);
  }

  call(method, params = {}) {
    const id = ++this.last;
    this.socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return new Promise((resolve, reject) => this.answers.set(id, { resolve, reject }));
  }

  /// The first event that is so, one that has come or the next.
  event(method, members = {}) {
    const is = (event) => event.method === method && Object.entries(members).every(([key, value]) => event[key] === value);
    return untilEvent(this, 'event', () => this.events.find(is),
      () => `no ${method} ${JSON.stringify(members)} among ${JSON.stringify(this.events)}`);
  }

  async close() {
    this.socket.destroy();
    await this.closed;
  }
}
