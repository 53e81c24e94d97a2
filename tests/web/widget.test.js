import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kGuard, launch, until, untilOpen, untilShown, untilTaken, untilText, Visitor, withChat } from './harness.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

// The widget's shadow root is closed to the site, but not to its tests.
function openRoots() {
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function () { return attach.call(this, { mode: 'open' }); };
}

function it(name, options, body) {
  if (typeof options === 'function') [options, body] = [{}, options];
  test(name, { timeout: 3 * kGuard }, () => withChat(options, async (chat) => {
    const url = `${chat.site}${options.times ?? 1}`;
    const visitor = await Visitor.come(browser, chat, { ...options, url, before: [openRoots, ...(options.before ?? [])] });
    const { page } = visitor;
    await until(page, () => document.querySelector('[data-chatd-widget]'));
    await body(page, chat, visitor);
    await visitor.leave();
  }));
}

const part = (page, selector) => page.evaluateHandle((what) =>
  document.querySelector('[data-chatd-widget]').shadowRoot.querySelector(what), selector);
const button = (page) => part(page, 'button');
const attribute = async (page, selector, name) => (await part(page, selector)).evaluate((one, key) => one?.getAttribute(key), name);
const untilLabel = (page, label) => until(page, (wanted) =>
  document.querySelector('[data-chatd-widget]').shadowRoot.querySelector('button').getAttribute('aria-label') === wanted, label);

async function chatFrame(page) {
  await until(page, () => document.querySelector('[data-chatd-widget]').shadowRoot.querySelector('iframe'));
  const frame = await (await part(page, 'iframe')).contentFrame();
  await frame.waitForFunction(() => document.querySelector('#end')?.hidden === false, { polling: 30, timeout: kGuard });
  return frame;
}

async function open(page) {
  await (await button(page)).click();
  return chatFrame(page);
}

it('a button opens the chat, the button and Esc close it', async (page) => {
  assert.equal(await attribute(page, 'iframe', 'src'), undefined, 'nothing is loaded before');
  assert.equal(await attribute(page, 'button', 'aria-label'), 'Open the chat');
  const frame = await open(page);
  assert.equal(await attribute(page, 'button', 'aria-expanded'), 'true');
  assert.equal(await attribute(page, 'iframe', 'title'), 'Chat');
  await until(frame, () => document.hasFocus() && document.activeElement.id === 'text');
  await page.keyboard.press('Escape');
  await untilLabel(page, 'Open the chat');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.chatdWidget !== undefined), true, 'the focus is back');
  await page.keyboard.press('Enter');
  await untilLabel(page, 'Close the chat');
  await (await button(page)).focus();
  await page.keyboard.press('Escape');
  await untilLabel(page, 'Open the chat');
  await page.keyboard.press('Enter');
  await (await button(page)).click();
  await untilLabel(page, 'Open the chat');
});

it('Esc closes the question and not the chat', async (page) => {
  const frame = await open(page);
  await frame.click('#end');
  await until(frame, () => document.querySelector('#ask').open);
  await page.keyboard.press('Escape');
  await until(frame, () => !document.querySelector('#ask').open);
  assert.equal(await attribute(page, 'button', 'aria-expanded'), 'true');
});

it('a chat in the corner; what comes while it is closed is counted on the button', async (page, chat) => {
  const frame = await open(page);
  await frame.focus('#text');
  await page.keyboard.type('hello');
  await page.keyboard.press('Enter');
  await untilTaken(frame, 1);
  await chat.say('seen');
  await untilShown(frame, 'hello', 'seen');
  assert.equal(await attribute(page, 'button', 'aria-label'), 'Close the chat');
  await (await button(page)).click();
  await chat.say('unseen');
  await untilLabel(page, 'Open the chat, unread messages: 1');
  assert.equal(await (await part(page, 'span')).evaluate((one) => one.textContent), '1');
  await chat.say('unseen');
  await untilLabel(page, 'Open the chat, unread messages: 2');
  await (await button(page)).click();
  await untilLabel(page, 'Close the chat');
});

it('the chat goes on from one page of the site to the next', async (page, chat) => {
  const frame = await open(page);
  await frame.focus('#text');
  await page.keyboard.type('hello');
  await page.keyboard.press('Enter');
  await untilTaken(frame, 1);
  await Promise.all([page.waitForNavigation(), page.click('main a')]);
  await untilShown(await chatFrame(page), 'hello');
  assert.equal(await attribute(page, 'button', 'aria-expanded'), 'true');
  assert.equal(await page.evaluate(() => document.activeElement === document.body), true, 'the focus is the page\'s');
  await (await button(page)).click();
  await chat.say('unseen');
  await untilLabel(page, 'Open the chat, unread messages: 1');
  await Promise.all([page.waitForNavigation(), page.click('main a')]);
  await untilLabel(page, 'Open the chat, unread messages: 1');
  assert.equal((await chat.sessions()).length, 1);
});

it('a chat that is loaded again in its frame leaves the focus to the site', {
  before: [() => {
    test.ready = 0;
    addEventListener('message', ({ data }) => { if (data?.chatd === 'ready') ++test.ready; });
  }],
}, async (page, chat) => {
  const frame = await open(page);
  await until(frame, () => document.activeElement.id === 'text');
  await page.focus('main a');
  await frame.evaluate(() => { setTimeout(() => location.reload()); });
  await until(page, () => test.ready === 2);
  // What the site has answered is heard before.
  await chat.say('hello');
  await untilShown(frame, 'hello');
  assert.equal(await page.evaluate(() => document.activeElement.localName), 'a');
});

it('a script that is loaded twice makes one button', { times: 3 }, async (page) => {
  await until(page, () => document.readyState === 'complete');
  assert.equal(await page.$$eval('[data-chatd-widget]', (all) => all.length), 1);
});

it('it leaves no names behind', {
  before: [() => { test.names = new Set(Object.getOwnPropertyNames(window)); }],
}, async (page) => {
  await open(page);
  // A browser names the frames of a page by numbers, and its driver adds names of its own.
  const names = await page.evaluate(() => Object.getOwnPropertyNames(window).filter((name) => !test.names.has(name) && !/^\d+$|ariaQuery/.test(name)));
  assert.deepEqual(names, []);
});

it('it hears the chat alone, and the chat hears its site alone', async (page, chat) => {
  const frame = await open(page);
  // The site itself, and another frame of it, are not the chat.
  await page.evaluate(() => {
    postMessage({ chatd: 'unread', count: 7 }, '*');
    postMessage({ chatd: 'close' }, '*');
    return new Promise((done) => setTimeout(done));
  });
  await page.evaluate(() => document.body.append(document.createElement('iframe')));
  const other = await (await page.$('body > iframe')).contentFrame();
  await other.evaluate(() => {
    const root = parent.document.querySelector('[data-chatd-widget]').shadowRoot;
    root.querySelector('iframe').contentWindow.postMessage({ chatd: 'closed' }, '*');
  });
  // The chat itself is not its site, and numbers are numbers.
  await frame.evaluate(() => {
    postMessage({ chatd: 'closed' }, '*');
    for (const data of [null, 7, {}, { chatd: 'unread', count: -1 }, { chatd: 'unread', count: '<b>' }, { chatd: 'unread', count: 1e99 }]) {
      parent.postMessage(data, '*');
    }
  });
  await chat.say('hello');
  await untilShown(frame, 'hello');
  assert.equal(await frame.title(), 'Chat', 'the chat knows that it is open');
  assert.equal(await attribute(page, 'button', 'aria-label'), 'Close the chat');
});

it('a site that says it is another one hears nothing', async (page, chat) => {
  await page.evaluate((src) => {
    test.heard = [];
    addEventListener('message', ({ data }) => test.heard.push(data));
    const frame = document.createElement('iframe');
    frame.src = `${src}#site=${encodeURIComponent('https://elsewhere.example')}`;
    document.body.append(frame);
    // The page's policy forbids nobody to ask, but the answer goes to the named site alone.
    frame.addEventListener('load', () => frame.contentWindow.postMessage({ chatd: 'opened' }, '*'));
  }, chat.page);
  await chat.network.until((frames) => frames.some(({ type }) => type === 'hello'));
  await chat.say('secret');
  const frame = await (await page.$('body > iframe')).contentFrame();
  await untilShown(frame, 'secret');
  assert.equal(await frame.title(), '(1) Chat', 'it counts as closed');
  assert.deepEqual(await page.evaluate(() => test.heard), []);
});

it('another site may not show the page', { stranger: true }, async (page, chat, visitor) => {
  // The button is there, as a script may be loaded by anybody; the page is not.
  await (await button(page)).click();
  await until(page, () => document.querySelector('[data-chatd-widget]').shadowRoot.querySelector('iframe'));
  await page.evaluate((src) => new Promise((done) => {
    const frame = document.createElement('iframe');
    frame.src = src;
    frame.addEventListener('load', () => done());
    document.body.append(frame);
  }), chat.page);
  // A page that is shown connects; the only one that does is this one, which is opened later.
  await untilOpen(await visitor.tab());
  assert.equal(chat.network.frames.filter(({ type }) => type === 'hello').length, 1);
  await chat.operator.event('connected');
  assert.equal(chat.events.filter(({ method }) => method === 'connected').length, 1);
  await page.goto('about:blank');
});

it('German, and on a phone within its edges', { languages: ['de-DE'], width: 320, height: 568 }, async (page) => {
  assert.equal(await attribute(page, 'button', 'aria-label'), 'Chat öffnen');
  const frame = await open(page);
  await untilText(frame, '#send', 'Senden');
  for (const what of ['iframe', 'button']) {
    const { left, top, right, bottom } = await (await part(page, what)).evaluate((one) => one.getBoundingClientRect().toJSON());
    assert.ok(left >= 0 && top >= 0 && right <= 320 && bottom <= 568, what);
  }
  assert.equal(await frame.evaluate(() => document.querySelector('main').scrollWidth <= innerWidth), true);
});

it('it works where the site has no storage', {
  before: [() => {
    if (location.hostname === 'localhost') Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('denied', 'SecurityError'); } });
  }],
}, async (page, chat) => {
  const frame = await open(page);
  await chat.say('hello');
  await untilShown(frame, 'hello');
});
