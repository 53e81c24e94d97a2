// The tools of the browser tests: a mock daemon, a browser, pages of it. Nothing here waits
// for a fixed time: every wait is for something that is seen in the page or told by the mock.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

export const kGuard = 120_000;   // ends a test; says nothing about speed
export const kBrowser = process.env.BROWSER ?? 'chromium';
const kPrograms = { chromium: '/usr/bin/chromium', firefox: '/usr/bin/firefox-esr' };

export class Mock extends EventEmitter {
  static async start() {
    const mock = new Mock();
    mock.child = spawn('/usr/bin/python3', ['-B', fileURLToPath(new URL('mock.py', import.meta.url))],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    mock.frames = [];
    mock.answers = [];
    createInterface({ input: mock.child.stdout }).on('line', (line) => mock.#told(JSON.parse(line)));
    const [{ page, site }] = await once(mock, 'ready');
    return Object.assign(mock, { page, site });
  }

  #told(what) {
    if (what.done) return this.answers.shift()(what);
    if (what.event === 'frame') this.frames.push(what.frame);
    this.emit(what.event, what);
    this.emit('any', what);
  }

  // Carries out a command; see mock.py.
  do(name, values = {}) {
    this.child.stdin.write(`${JSON.stringify({ do: name, ...values })}\n`);
    return new Promise((done) => this.answers.push(done));
  }

  async said() {
    return (await this.do('state')).sessions.flatMap((session) => session.said);
  }

  // Waits until the frames that came satisfy this.
  async until(condition) {
    const guard = AbortSignal.timeout(kGuard);
    while (!condition(this.frames)) {
      await once(this, 'any', { signal: guard }).catch(() => {
        throw new Error(`the daemon did not hear it; it heard ${JSON.stringify(this.frames.slice(-5))}`);
      });
    }
  }

  async stop() {
    this.child.stdin.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }
}

export function launch(more = {}) {
  const chromium = {
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
  };
  const firefox = {
    headless: true,
    extraPrefsFirefox: {
      'layout.css.prefers-color-scheme.content-override': 0,   // dark, in all its tests
      'network.websocket.delay-failed-reconnects': false,      // the page has waits of its own
    },
  };
  return puppeteer.launch({
    browser: kBrowser === 'firefox' ? 'firefox' : 'chrome',
    executablePath: kPrograms[kBrowser],
    protocolTimeout: 180_000,
    ...(kBrowser === 'firefox' ? firefox : chromium),
    ...more,
  });
}

// Runs in the page before anything of it.
function spy() {
  window.test = { violations: [], errors: [], live: [] };
  addEventListener('securitypolicyviolation', (event) => window.test.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  addEventListener('error', (event) => window.test.errors.push(String(event.message)));
  addEventListener('unhandledrejection', (event) => window.test.errors.push(String(event.reason)));
}

// A clock that stands until the test moves it: page.evaluate(() => test.advance(1000)).
function stopClock() {
  let now = 0;
  let last = 0;
  const timers = new Map();
  window.setTimeout = (handler, delay = 0, ...values) => {
    timers.set(++last, { at: now + Math.max(0, delay), handler, values });
    return last;
  };
  window.clearTimeout = (id) => timers.delete(id);
  performance.now = () => now;
  window.test.waits = () => [...timers.values()].map(({ at }) => at - now).sort((a, b) => a - b);
  window.test.advance = (span) => {
    const end = now + span;
    for (;;) {
      const [id, next] = [...timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (!next || next.at > end) break;
      timers.delete(id);
      now = next.at;
      next.handler(...next.values);
    }
    now = end;
  };
}

// A visitor of his own: storage, cookies and tabs are nobody else's.
export class Visitor {
  static async come(browser, mock, { clock = false, before = [], width = 1024, height = 768, url = mock.page, languages = ['en'] } = {}) {
    const visitor = new Visitor();
    visitor.mock = mock;
    visitor.context = await browser.createBrowserContext();
    visitor.prepare = [
      [spy],
      [(wanted) => Object.defineProperty(navigator, 'languages', { get: () => wanted }), languages],
      ...(clock ? [[stopClock]] : []),
      ...before.map((script) => [script]),
    ];
    visitor.size = { width, height };
    visitor.elsewhere = [];
    visitor.ours = [mock.page, mock.site].map((one) => new URL(one).host);
    visitor.page = await visitor.tab(url);
    return visitor;
  }

  async tab(url = this.mock.page) {
    const page = await this.context.newPage();
    page.setDefaultTimeout(kGuard);
    await page.setViewport(this.size);
    for (const [script, ...values] of this.prepare) await page.evaluateOnNewDocument(script, ...values);
    page.on('request', (request) => {
      const { protocol, host } = new URL(request.url());
      if (/^(http|ws)/.test(protocol) && !this.ours.includes(host)) this.elsewhere.push(request.url());
    });
    await page.goto(url);
    return page;
  }

  // Nothing that happened in any of its tabs was against the policy or went elsewhere.
  async leave() {
    for (const page of await this.context.pages()) {
      const { violations = [], errors = [] } = await page.evaluate(() => window.test ?? {});
      assert.deepEqual(violations, [], 'violations of the Content-Security-Policy');
      assert.deepEqual(errors, [], 'errors of the page');
    }
    assert.deepEqual(this.elsewhere, [], 'requests to elsewhere');
    await this.context.close();
  }
}

// What is shown: [{who, text, state}].
export const shown = (page) => page.$$eval('.message', (all) => all.map((one) => ({
  who: one.querySelector('.name').textContent,
  text: one.querySelector('.text').textContent,
  ...(one.dataset.state && { state: one.dataset.state }),
})));

export const texts = async (page) => (await shown(page)).map(({ text }) => text);

// Waits until this holds in the page. By a timer: a page that is hidden has no frames.
export async function until(page, condition, ...values) {
  try {
    await page.waitForFunction(condition, { polling: 30, timeout: kGuard }, ...values);
  } catch (error) {
    const body = await page.evaluate(() => document.body.innerText).catch(() => '');
    throw new Error(`never: ${condition} ${JSON.stringify(values)}: ${error.message}; the page shows:\n${body}`);
  }
}

export const untilShown = (page, ...wanted) => until(page, (list) => {
  const there = [...document.querySelectorAll('.message .text')].map((one) => one.textContent);
  return JSON.stringify(there) === JSON.stringify(list);
}, wanted);

export const untilText = (page, selector, wanted) => until(page, (where, text) =>
  document.querySelector(where).textContent === text, selector, wanted);

export const untilTaken = (page, count) => until(page, (wanted) =>
  document.querySelectorAll('[data-state=taken]').length === wanted, count);

// Waits until the page is connected: only then there is a chat that can be ended.
export const untilOpen = (page) => until(page, () => document.querySelector('#end')?.hidden === false);

export async function write(page, text) {
  await page.focus('#text');
  await page.keyboard.type(text);
}

export async function send(page, text) {
  await write(page, text);
  await page.keyboard.press('Enter');
}

// A long text, without typing it.
export async function put(page, text) {
  await page.$eval('#text', (area, value) => {
    area.value = value;
    area.dispatchEvent(new Event('input', { bubbles: true }));
  }, text);
}

export const setHidden = (page, hidden) => page.evaluate((yes) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => yes });
  document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

// Declares a test that has a mock and a visitor, whose page is connected.
export function visit(test, browser, name, options, body) {
  if (typeof options === 'function') [options, body] = [{}, options];
  test(name, { timeout: 3 * kGuard }, async () => {
    const mock = await Mock.start();
    try {
      if (options.mock) await mock.do('set', options.mock);
      const visitor = await Visitor.come(browser(), mock, options);
      if (!options.url && !options.mock?.deny) await untilOpen(visitor.page);
      await body(visitor.page, mock, visitor);
      await visitor.leave();
    } finally {
      await mock.stop();
    }
  });
}
