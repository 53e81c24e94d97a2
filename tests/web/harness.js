// The tools of the browser tests: a chat that is served, a browser, pages of it. Nothing here waits
// for a fixed time: every wait is for something that is seen in the page, or told by the daemon or
// the network before it.

import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { Daemon, kGuard, Operator } from './daemon.js';
import { Network } from './network.js';
import { Site } from './site.js';

export { kGuard };
export const kBrowser = process.env.BROWSER ?? 'chromium';
const kPrograms = { chromium: '/usr/bin/chromium', firefox: '/usr/bin/firefox-esr' };
export const kHere = dirname(fileURLToPath(import.meta.url));

// A daemon, an operator at it, the network before it, and a site with the widget.
export class Chat {
  /// `config`: tables of chatd.toml. With `direct` there is no network of the test's own between;
  /// `secure`: by https; `fresh`: no browser was there before; `limits: 'default'`: those that chatd
  /// comes with. The site may have the page in a
  /// frame unless it is a `stranger`.
  static async open({ config = {}, direct = false, secure = false, fresh = false, limits, stranger = false } = {}) {
    const chat = new Chat();
    chat.others = new Map();
    try {
      chat.somebody = await Site.open(() => chat.page);
      chat.site = chat.somebody.page;
      const web = { ...(!stranger && { origins: [chat.somebody.origin] }), ...config.web };
      chat.daemon = await Daemon.start({ ...config, web }, { secure, limits });
      if (!fresh) await chat.daemon.meetBrowser();
      if (!direct && !secure) chat.network = await Network.before(chat.daemon);
      chat.page = `http${secure ? 's' : ''}://127.0.0.1:${(chat.network ?? chat.daemon).port}/`;
      await chat.attach();
    } catch (error) {
      await chat.close();
      throw error;
    }
    return chat;
  }

  /// Everything that happened, over restarts of the daemon.
  get events() { return this.operator.events; }

  async attach() {
    const events = this.operator?.events ?? [];
    const since = events.findLast(({ seq }) => seq)?.seq;
    this.operator = await Operator.attach(this.daemon, 'ann', { events, since });
  }

  /// An operator of that name, who stays.
  async join(name) {
    if (!this.others.has(name)) this.others.set(name, await Operator.attach(this.daemon, name));
    return this.others.get(name);
  }

  /// An operator says it to all, whether their pages are there or not.
  async say(text, { times = 1, by } = {}) {
    const one = by === undefined ? this.operator : await this.join(by);
    const said = Array.from({ length: times }, (_, number) => one.call('send', { to: 'all', text: text.replaceAll('{number}', number) }));
    await Promise.all(said);
  }

  /// The texts that arrived, in their order; by session: a list for each.
  async said() { return (await this.saidBy()).flat(); }

  async saidBy() {
    await this.operator.call('stats');   // what was said before the answer has been told before it
    const by = new Map();
    for (const { session, text } of this.events.filter(({ method }) => method === 'message')) {
      by.set(session, [...(by.get(session) ?? []), text]);
    }
    return [...by.values()];
  }

  sessions() { return this.operator.call('sessions'); }

  /// The daemon is replaced by `how`, which ends or replaces its process; the operator comes back.
  async replace(how) {
    for (const one of [this.operator, ...this.others.values()]) await one.close();
    this.others.clear();
    await how(this.daemon);
    await this.attach();
  }

  /// Other tables of the configuration, in force from now on.
  reload(config) {
    const { web } = this.daemon.config;
    return this.daemon.reload({ ...config, web: { origins: web.origins ?? [], ...config.web } });
  }

  handOver() { return this.replace((daemon) => daemon.handOver()); }

  /// Killed, and started anew: it knows nobody.
  killAndStart() {
    return this.replace(async (daemon) => {
      await daemon.kill();
      await daemon.run();
      await daemon.meetBrowser();
    });
  }

  async close() {
    this.somebody?.close();
    await this.network?.close();
    this.daemon?.remove();
  }

  /// Ends the daemon as a test does that went well: it had nothing to complain of.
  async end() {
    await this.daemon.end();
    await this.close();
  }
}

// A browser; with more arguments for Chromium, and more preferences for Firefox. `spare`: it may do
// what people's browsers do of themselves, such as to open connections that it may not need.
export function launch({ moreArguments = [], morePreferences = {}, spare = false } = {}) {
  const chromium = {
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...(spare ? [] : ['--disable-background-networking']), ...moreArguments],
    ...(spare && { ignoreDefaultArgs: ['--disable-background-networking'] }),
  };
  const firefox = {
    headless: true,
    extraPrefsFirefox: {
      'layout.css.prefers-color-scheme.content-override': 0,   // dark, in all its tests
      'network.websocket.delay-failed-reconnects': false,      // the page has waits of its own
      ...morePreferences,
    },
  };
  return puppeteer.launch({
    acceptInsecureCerts: true,
    timeout: kGuard,
    browser: kBrowser === 'firefox' ? 'firefox' : 'chrome',
    executablePath: kPrograms[kBrowser],
    protocolTimeout: 180_000,
    ...(kBrowser === 'firefox' ? firefox : chromium),
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
  static async come(browser, chat, { clock = false, before = [], width = 1024, height = 768, url = chat.page, languages = ['en'] } = {}) {
    const visitor = new Visitor();
    visitor.chat = chat;
    visitor.context = await browser.createBrowserContext();
    visitor.prepare = [
      [spy],
      [(wanted) => Object.defineProperty(navigator, 'languages', { get: () => wanted }), languages],
      ...(clock ? [[stopClock]] : []),
      ...before.map((script) => [script]),
    ];
    visitor.size = { width, height };
    visitor.elsewhere = [];
    visitor.ours = [chat.page, chat.site].map((one) => new URL(one).host);
    visitor.page = await visitor.tab(url);
    return visitor;
  }

  async tab(url = this.chat.page) {
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

// Declares a test that has a chat and a visitor, whose page is connected unless `closed` is set.
// `lost` and `cuts` are the network's.
export function visit(test, browser, name, options, body) {
  if (typeof options === 'function') [options, body] = [{}, options];
  test(name, { timeout: 3 * kGuard }, () => withChat(options, async (chat) => {
    for (const type of options.lost ?? []) chat.network.lost.add(type);
    chat.network?.cuts.push(...(options.cuts ?? []));
    await options.prepare?.(chat);
    const visitor = await Visitor.come(browser(), chat, options);
    if (!options.url && !options.closed) await untilOpen(visitor.page);
    await body(visitor.page, chat, visitor);
    await visitor.leave();
  }));
}

// Opens a chat for the time of the body.
export async function withChat(options, body) {
  const chat = await Chat.open(options);
  try {
    await body(chat);
    await chat.end();
  } finally {
    await chat.close();
  }
}
