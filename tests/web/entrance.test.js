// Real browsers at the daemon's own port, with nothing between: who comes in, and what is refused.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { after, before, test } from 'node:test';
import { kGuard, launch, send, until, untilOpen, untilShown, untilTaken, Visitor, withChat } from './harness.js';

let browser;
// With the connections that a browser opens in case it needs them.
before(async () => { browser = await launch({ spare: true }); });
after(() => browser.close());

const kAtHome = { direct: true, fresh: true, limits: 'default' };

function it(name, options, body) {
  test(name, { timeout: 3 * kGuard }, (context) => withChat({ ...kAtHome, ...options }, (chat) => body(chat, context)));
}

// All that happened, but for operators.
const happened = (chat) => chat.events.filter(({ method }) => method !== 'operator').map(({ method, text }) => (text === undefined ? method : `${method} ${text}`));

// Nothing but this has happened when somebody at another address, who came last and says nothing, is
// announced for that: whoever came before, and was silent for longer, was taken for nobody.
async function nothingBut(chat, wanted) {
  const silent = createConnection({ port: chat.daemon.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
  await once(silent, 'connect');
  await chat.operator.event('connected', { address: `127.0.0.2:${silent.localPort}` });
  assert.deepEqual(happened(chat), [...wanted, 'connected']);
  silent.destroy();
}

// The connections to the daemon that nobody has closed.
async function connections(chat) {
  const port = chat.daemon.port.toString(16).toUpperCase().padStart(4, '0');
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n');
  return lines.filter((line) => line.includes(` 0100007F:${port} 0100007F:`) && / 01 /.test(line)).length;
}

it('a page load is one session and nothing else, with all connections that a browser keeps', {}, async (chat, context) => {
  const visitor = await Visitor.come(browser, chat);
  await untilOpen(visitor.page);
  assert.deepEqual(happened(chat), ['connected']);
  context.diagnostic(`${await connections(chat)} connections`);
  // A browser has spare connections when it likes; this is one that is certainly there.
  const spare = createConnection(chat.daemon.port, '127.0.0.1');
  await once(spare, 'connect');
  await nothingBut(chat, ['connected']);
  assert.equal((await chat.sessions()).filter(({ dialect }) => dialect === 'web').length, 1);
  spare.destroy();
  await visitor.leave();
});

it('whoever reloads without patience is let in each time, and stays one session', {}, async (chat) => {
  const visitor = await Visitor.come(browser, chat);
  await untilOpen(visitor.page);
  for (let number = 0; number < 8; ++number) await visitor.page.reload();
  await untilOpen(visitor.page);
  await send(visitor.page, 'hello');
  await untilTaken(visitor.page, 1);
  await chat.say('good day');
  await untilShown(visitor.page, 'hello', 'good day');
  assert.deepEqual(happened(chat), ['connected', 'message hello', 'sent good day']);
  await visitor.leave();
});

// What a page at somebody's site gets when it tries: whether it was let in.
const connects = (page, address, protocols) => page.evaluate((url, wanted) => new Promise((done) => {
  const socket = new WebSocket(url, wanted);
  socket.onopen = () => done(true);
  socket.onclose = () => done(false);
}), address.replace('http', 'ws') + 'chat', protocols);

for (const [stranger, who] of [[true, 'a site that is not in web.origins'], [false, 'a site that is']]) {
  it(`${who} ${stranger ? 'gets no connection' : 'gets one'}`, { stranger }, async (chat) => {
    const visitor = await Visitor.come(browser, chat, { url: `${chat.site}attack` });
    for (const protocols of [[], ['chat.chatd.v1']]) assert.equal(await connects(visitor.page, chat.page, protocols), !stranger);
    // A page without an origin is nobody's.
    const frame = await visitor.page.evaluateHandle((address) => new Promise((done) => {
      addEventListener('message', ({ data }) => done(data), { once: true });
      const inner = document.createElement('iframe');
      inner.sandbox = 'allow-scripts';
      inner.srcdoc = `<script>const socket = new WebSocket('${address}');
        socket.onopen = () => parent.postMessage('open', '*'); socket.onclose = () => parent.postMessage('closed', '*');</script>`;
      document.body.append(inner);
    }), chat.page.replace('http', 'ws') + 'chat');
    assert.equal(await frame.jsonValue(), 'closed');
    await visitor.context.close();
    if (!stranger) await chat.operator.event('disconnected');
    const before = stranger ? [] : happened(chat);
    assert.equal(before.includes('connected'), !stranger);
    await nothingBut(chat, before);
  });
}

it('a name of somebody else that leads here (DNS rebinding) is refused', { direct: false, config: { web: { hosts: ['127.0.0.1'] } } }, async (chat) => {
  const rebound = await launch({
    moreArguments: ['--host-resolver-rules=MAP evil.example 127.0.0.1'],
    morePreferences: { 'network.dns.localDomains': 'evil.example' },
  });
  try {
    const page = await rebound.newPage();
    const address = chat.page.replace('127.0.0.1', 'evil.example');
    assert.equal((await page.goto(address)).status(), 421);
    // The attack's own page is of the same origin: the name led elsewhere before.
    chat.network.instead = '<!doctype html><title>evil</title><link rel="icon" href="data:,">';
    await page.goto(`${address}evil`);
    assert.equal(await page.title(), 'evil');
    chat.network.instead = null;
    assert.equal(await page.evaluate(async () => (await fetch('/settings.json')).status), 421);
    assert.equal(await connects(page, address, ['chat.chatd.v1']), false);
    await page.goto(chat.page);
    await untilOpen(page);
    assert.deepEqual(happened(chat), ['connected']);
  } finally {
    await rebound.close();
  }
});

for (const path of ['', 'chat']) {
  it(`a form that somebody's site posts to /${path} says nothing to anybody`, {}, async (chat) => {
    const visitor = await Visitor.come(browser, chat, { url: `${chat.site}attack` });
    const [answer] = await Promise.all([visitor.page.waitForNavigation(), visitor.page.evaluate((action) => {
      const form = Object.assign(document.createElement('form'), { method: 'post', enctype: 'text/plain', action });
      form.append(Object.assign(document.createElement('textarea'), { name: 'x', value: 'hello\r\nbuy my things\r\n' }));
      document.body.append(form);
      form.submit();
    }, chat.page + path)]);
    assert.equal(answer.status(), 405);
    // Neither does a script of it, with a body that looks like a request.
    await visitor.page.goto(`${chat.site}attack`);
    await visitor.page.evaluate((url) => fetch(url, {
      method: 'POST', mode: 'no-cors', body: 'GET /chat HTTP/1.1\r\nHost: a\r\n\r\nhello\r\n',
    }).catch(() => {}), chat.page + path);
    await nothingBut(chat, []);
    await visitor.context.close();
  });
}

it('a second request behind the first is not answered, and not taken for chat', {}, async (chat) => {
  const upgrade = 'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
  for (const [first, status] of [
    ['GET /icon.svg HTTP/1.1\r\nHost: a\r\n\r\n', 200],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', 413],
    ['GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n', 400],
  ]) {
    const socket = createConnection(chat.daemon.port, '127.0.0.1');
    let answers = '';
    socket.setEncoding('latin1').on('data', (text) => { answers += text; }).on('error', () => {});
    socket.write(`${first}${upgrade}hello\r\n`);
    await once(socket, 'close');
    assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), [`HTTP/1.1 ${status}`], first);
  }
  await nothingBut(chat, []);
});

test('by https: the page, wss, a hand-over, a daemon that was killed', { timeout: 3 * kGuard }, () => withChat({ secure: true }, async (chat) => {
  const visitor = await Visitor.come(browser, chat);
  const { page } = visitor;
  await untilOpen(page);
  await send(page, 'hello');
  await untilTaken(page, 1);
  const [{ session, tls, dialect }] = await chat.sessions();
  assert.match(tls, /^TLSv1\.3 TLS_/);
  assert.equal(dialect, 'web');
  assert.equal(await page.evaluate(() => isSecureContext && location.protocol), 'https:');
  for (let number = 1; number <= 3; ++number) {
    await chat.handOver();
    await chat.say(`answer ${number}`);
    await until(page, (count) => document.querySelectorAll('.operator').length === count, number);
    await send(page, `thanks ${number}`);
    await untilTaken(page, 1 + number);
  }
  assert.deepEqual((await chat.sessions()).map((one) => [one.session, one.tls]), [[session, tls]]);
  await page.reload();
  await untilOpen(page);
  assert.equal((await page.$$('.message')).length, 7);
  await chat.killAndStart();
  await send(page, 'still there?');
  await untilTaken(page, 5);
  assert.deepEqual(await chat.said(), ['hello', 'thanks 1', 'thanks 2', 'thanks 3', 'still there?']);
  await visitor.leave();
}));
