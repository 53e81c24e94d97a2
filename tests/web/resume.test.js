import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, put, send, setHidden, shown, texts, until, untilOpen, untilShown, untilTaken, untilText, visit } from './harness.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());
const it = (name, ...rest) => visit(test, () => browser, name, ...rest);

const hellos = (chat) => chat.network.frames.filter(({ type }) => type === 'hello');
// What pages were told, of that type.
const told = (chat, wanted) => chat.network.answers.filter(({ type }) => type === wanted);
const untilHellos = (chat, count) => chat.network.until(() => hellos(chat).length >= count);
const advance = (page, span) => page.evaluate((ms) => test.advance(ms), span);
// The wait for the next try, once the loss was noticed.
const waits = async (page) => {
  await until(page, () => document.querySelector('#state p').textContent !== '' && document.querySelector('#end').hidden);
  return Math.max(...await page.evaluate(() => test.waits().map(Math.ceil)));
};

// Notes what was put into the log while it was live, and so is read out.
function watchLog() {
  addEventListener('DOMContentLoaded', () => {
    const log = document.querySelector('#log');
    new MutationObserver((all) => {
      for (const { addedNodes } of all) {
        for (const node of addedNodes) {
          if (log.getAttribute('aria-live') !== 'off' && node.matches?.('.message')) test.live.push(node.querySelector('.text').textContent);
        }
      }
    }).observe(document.querySelector('#messages'), { childList: true });
  });
}

it('a reload goes on with the session; what is old is not read out', { before: [watchLog] }, async (page, chat) => {
  await send(page, 'one');
  await untilTaken(page, 1);
  await chat.say('two');
  await untilShown(page, 'one', 'two');
  const before = await shown(page);
  await until(page, () => document.querySelector('#log').getAttribute('aria-live') === 'polite');
  await page.reload();
  await untilOpen(page);
  assert.deepEqual(await shown(page), before);
  await until(page, () => document.querySelector('#log').getAttribute('aria-live') === 'polite');
  await chat.say('three');
  await untilShown(page, 'one', 'two', 'three');
  await until(page, () => test.live.length > 0);
  assert.deepEqual(await page.evaluate(() => test.live), ['three']);
  assert.deepEqual((await chat.sessions()).length, 1);
});

it('what is said while the page is away is there when it comes back', async (page, chat) => {
  await chat.say('before');
  await untilShown(page, 'before');
  await page.goto('about:blank');
  await chat.say('meanwhile');
  await page.goto(chat.page);
  await untilShown(page, 'before', 'meanwhile');
});

for (const step of ['hello', 'welcome', 'say', 'taken']) {
  it(`a connection that is cut at its ${step} loses nothing and doubles nothing`, async (page, chat) => {
    await send(page, 'first');
    await untilTaken(page, 1);
    chat.network.cuts.push(step);
    if (step === 'hello' || step === 'welcome') chat.network.cut();
    await send(page, 'second');
    await chat.say('answer');
    await untilTaken(page, 2);
    await until(page, () => document.querySelectorAll('.operator').length === 1);
    assert.deepEqual(await chat.said(), ['first', 'second']);
    assert.deepEqual((await texts(page)).sort(), ['answer', 'first', 'second']);
    const ids = chat.network.frames.filter(({ type, text }) => type === 'say' && text === 'second').map(({ id }) => id);
    assert.equal(new Set(ids).size, 1);
    assert.match(ids[0], /^[A-Za-z0-9-]{1,64}$/);
  });
}

for (const [what, when] of [['before it is taken', { lost: ['say'] }], ['after it was taken, before the page knows', { cuts: ['taken'] }]]) {
  it(`a reload in the middle of sending, ${what}`, when, async (page, chat) => {
    await send(page, 'hello');
    await chat.network.until((frames) => frames.some(({ type }) => type === 'say'));
    await page.reload();
    chat.network.lost.delete('say');
    chat.network.cut();
    await untilTaken(page, 1);
    assert.deepEqual(await texts(page), ['hello']);
    assert.deepEqual(await chat.said(), ['hello']);
  });
}

it('what is written without a connection is sent in order when there is one', async (page, chat) => {
  chat.network.stop();
  await untilText(page, '#state p', 'The connection is lost. Trying again…');
  for (const text of ['one', 'two', 'three']) await send(page, text);
  assert.deepEqual((await shown(page)).map(({ state }) => state), ['waiting', 'waiting', 'waiting']);
  // At once: a browser that dies does not say so before.
  assert.match(await page.evaluate(() => sessionStorage['chatd.state']), /one.*two.*three/);
  chat.network.start();
  await untilTaken(page, 3);
  assert.deepEqual(await chat.said(), ['one', 'two', 'three']);
  await untilText(page, '#state p', 'Connected again.');
});

it('a daemon that is replaced while the page is away knows the session', async (page, chat) => {
  await send(page, 'before');
  await untilTaken(page, 1);
  chat.network.stop();
  await chat.handOver();
  await chat.say('meanwhile');
  chat.network.start();
  await untilShown(page, 'before', 'meanwhile');
  assert.equal(hellos(chat).at(-1).seen, told(chat, 'taken')[0].seq);
  assert.equal((await chat.sessions()).length, 1);
});

it('a daemon that is replaced again and again, with the page at it', async (page, chat) => {
  const [{ session }] = await chat.sessions();
  for (let number = 1; number <= 3; ++number) {
    await send(page, `question ${number}`);
    await chat.handOver();
    await chat.say(`answer ${number}`);
    await untilTaken(page, number);
    await until(page, (count) => document.querySelectorAll('.operator').length === count, number);
  }
  assert.deepEqual(await chat.said(), ['question 1', 'question 2', 'question 3']);
  assert.deepEqual((await chat.sessions()).map((one) => one.session), [session]);
});

it('a daemon that stops says farewell; when it is there again a new chat begins', { config: { session: { farewell: 'Good night.' } } }, async (page, chat) => {
  await send(page, 'hello');
  await untilTaken(page, 1);
  await chat.replace(async (daemon) => {
    await daemon.end();
    await untilShown(page, 'hello', 'Good night.');
    await untilText(page, '#state p', 'The connection is lost. Trying again…');
    await daemon.run();
  });
  await send(page, 'good morning');
  await untilTaken(page, 2);
  await untilText(page, '.line', 'A new chat begins here. What is above is past.');
  assert.deepEqual(await chat.said(), ['hello', 'good morning']);
});

it('a daemon that was killed, and has forgotten the session', async (page, chat) => {
  await send(page, 'old');
  await chat.say('old answer');
  await untilTaken(page, 1);
  await until(page, () => document.querySelectorAll('.operator').length === 1);
  chat.network.lost.add('say');
  await send(page, 'perhaps taken');
  await chat.network.until((frames) => frames.some(({ text }) => text === 'perhaps taken'));
  chat.network.stop();
  await untilText(page, '#state p', 'The connection is lost. Trying again…');
  await send(page, 'never sent');
  chat.network.lost.delete('say');
  await chat.killAndStart();
  chat.network.start();
  await untilTaken(page, 2);
  // What may have arrived is not said twice; what cannot have arrived is said now.
  assert.deepEqual(await chat.said(), ['old', 'never sent']);
  assert.equal(await page.$$eval('.line', (all) => all.map((one) => one.textContent).join('|')), 'A new chat begins here. What is above is past.');
  assert.deepEqual((await shown(page)).find(({ text }) => text === 'perhaps taken').state, 'unsure');
  // The new session counts from the beginning.
  await chat.say('new answer');
  await until(page, () => document.querySelectorAll('.operator').length === 2);
  const all = ['old', 'old answer', 'perhaps taken', 'never sent', 'new answer'];
  assert.deepEqual((await texts(page)).sort(), [...all].sort());
  await page.reload();
  await untilOpen(page);
  assert.deepEqual((await texts(page)).sort(), [...all].sort());
  await page.click('.message button');
  await page.keyboard.press('Enter');
  await untilTaken(page, 3);
  assert.deepEqual(await chat.said(), ['old', 'never sent', 'perhaps taken']);
});

// As a daemon with a fault might.
function sayAgain(chat) {
  for (const frame of told(chat, 'message')) chat.network.insert(frame);
}

it('a daemon that says everything again is shown once', async (page, chat) => {
  await send(page, 'one');
  await chat.say('two');
  await untilTaken(page, 1);
  sayAgain(chat);
  chat.network.cut();
  await until(page, () => document.querySelector('#state p').textContent === 'Connected again.');
  sayAgain(chat);
  await chat.say('three');
  await untilShown(page, 'one', 'two', 'three');
});

it('what was taken but not acknowledged is known again by its id', async (page, chat) => {
  chat.network.cuts.push('taken');
  await send(page, 'mine');
  await untilTaken(page, 1);
  assert.deepEqual(await texts(page), ['mine']);
  await page.evaluate(() => {
    // The page lost what it knew of the text, not the session.
    addEventListener('pagehide', () => {
      const kept = JSON.parse(sessionStorage['chatd.state']);
      sessionStorage['chatd.state'] = JSON.stringify({ ...kept, entries: [], seen: 0 });
    });
  });
  await page.reload();
  await untilShown(page, 'mine');
  assert.deepEqual(await shown(page), [{ who: 'You', text: 'mine', state: 'taken' }]);
});

it('two tabs are two visitors', async (page, chat, visitor) => {
  const other = await visitor.tab();
  await untilOpen(other);
  await send(page, 'from the first');
  await untilTaken(page, 1);
  await other.bringToFront();
  await send(other, 'from the second');
  await untilTaken(other, 1);
  assert.deepEqual(await chat.saidBy(), [['from the first'], ['from the second']]);
});

// A machine that is busy may take longer to answer another tab than that one waits.
function waitForTabs() {
  const later = window.setTimeout;
  window.setTimeout = (handler, delay, ...values) => later(handler, delay === 300 ? 60_000 : delay, ...values);
}

// Other tabs sleep when this one asks them.
function askNobody() {
  const post = BroadcastChannel.prototype.postMessage;
  BroadcastChannel.prototype.postMessage = function (data) {
    if (!data.ask) post.call(this, data);
  };
}

function hearNoTabs() { delete window.BroadcastChannel; }

// Opens a tab that begins with what the other one remembers, as a browser does that
// duplicates it.
async function duplicate(page, visitor, before = waitForTabs) {
  const kept = await page.evaluate(() => JSON.stringify(sessionStorage));
  visitor.prepare.push([(copy) => {
    if (sessionStorage.length === 0) Object.assign(sessionStorage, JSON.parse(copy));
  }, kept], [before]);
  return visitor.tab();
}

// What the page shows is kept a moment later.
const untilKept = (page) => until(page, () => !sessionStorage['chatd.state'].includes('"waiting"'));

it('a tab that is duplicated begins a session of its own', async (page, chat, visitor) => {
  await send(page, 'one');
  await untilTaken(page, 1);
  await untilKept(page);
  const other = await duplicate(page, visitor);
  await untilOpen(other);
  await untilText(other, '.line', 'A new chat begins here. What is above is past.');
  assert.equal((await chat.sessions()).length, 2);
  assert.equal(hellos(chat).length, 2);
  await page.bringToFront();
  await page.reload();
  await untilOpen(page);
  assert.equal((await chat.sessions()).length, 2);
});

it('a session that goes on in another tab is left alone, and can be taken back', async (page, chat, visitor) => {
  await send(page, 'one');
  await untilTaken(page, 1);
  await untilKept(page);
  const other = await duplicate(page, visitor, hearNoTabs);
  await untilOpen(other);
  await untilText(page, '#state p', 'This chat goes on in another tab.');
  await page.bringToFront();
  await page.click('#state button');
  await untilOpen(page);
  await untilText(other, '#state p', 'This chat goes on in another tab.');
  await send(page, 'two');
  await untilTaken(page, 2);
  assert.equal(hellos(chat).length, 3);
});

it('it can be taken back after the other tab has said something, too', async (page, chat, visitor) => {
  await send(page, 'one');
  await untilTaken(page, 1);
  await untilKept(page);
  const token = await page.evaluate(() => JSON.parse(sessionStorage['chatd.state']).token);
  const other = await duplicate(page, visitor, askNobody);
  await untilOpen(other);
  await send(other, 'two');
  await untilTaken(other, 2);
  await untilText(page, '#state p', 'This chat goes on in another tab.');
  await until(page, (former) => JSON.parse(sessionStorage['chatd.state']).token !== former, token);
  await page.bringToFront();
  await page.click('#state button');
  await untilOpen(page);
  await untilShown(page, 'one', 'two');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'text');
  await untilText(other, '#state p', 'This chat goes on in another tab.');
  assert.equal((await chat.sessions()).length, 1);
});

it('what waits in a tab that is duplicated is said once', async (page, chat, visitor) => {
  await send(page, 'one');
  await untilTaken(page, 1);
  await untilKept(page);
  chat.network.lost.add('welcome');
  chat.network.cut();
  await untilText(page, '#state p', 'The connection is lost. Trying again…');
  await send(page, 'once');
  const other = await duplicate(page, visitor);
  await until(other, () => document.querySelector('.line') !== null);
  assert.deepEqual(await texts(other), ['one']);
  chat.network.lost.clear();
  chat.network.cut();
  await untilOpen(other);
  await send(other, 'other');
  await untilTaken(other, 2);
  await page.bringToFront();
  await untilTaken(page, 2);
  assert.deepEqual((await chat.said()).sort(), ['once', 'one', 'other']);
});

it('a tab that is duplicated after a chat was over begins a session of its own, too', async (page, chat, visitor) => {
  await page.click('#end');
  await page.click('#yes');
  await chat.operator.event('disconnected');
  await page.reload();
  await untilText(page, '#state p', 'This chat is over.');
  await page.click('#state button');
  await untilOpen(page);
  await untilOpen(await duplicate(page, visitor));
  assert.equal((await chat.sessions()).length, 2);
});

it('a page that the browser had put aside goes on with what another one in its tab has left', async (page, chat, visitor) => {
  await send(page, 'one');
  await untilTaken(page, 1);
  const hide = () => { dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })); };
  await page.evaluate(hide);
  // No driver lets a browser put pages aside: the other one has a tab here.
  const other = await duplicate(page, visitor, hearNoTabs);
  await untilOpen(other);
  await send(other, 'two');
  await untilTaken(other, 2);
  await other.evaluate(hide);
  const left = await other.evaluate(() => JSON.stringify(sessionStorage));
  await page.bringToFront();
  await Promise.all([page.waitForNavigation(), page.evaluate((copy) => {
    Object.assign(sessionStorage, JSON.parse(copy));
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
  }, left)]);
  await untilOpen(page);
  assert.deepEqual(await texts(page), ['one', 'two']);
  assert.equal((await chat.sessions()).length, 1);
});

it('everything works where the browser denies storage', {
  before: [() => {
    for (const name of ['sessionStorage', 'localStorage']) {
      Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError'); } });
    }
    window.BroadcastChannel = class { constructor() { throw new DOMException('denied', 'SecurityError'); } };
  }],
}, async (page, chat) => {
  chat.network.cuts.push('say');
  await send(page, 'hello');
  await untilTaken(page, 1);
  chat.network.cut();
  await chat.say('answer');
  await untilShown(page, 'hello', 'answer');
  await page.click('#sound');
  await page.reload();
  await untilOpen(page);
  assert.deepEqual(await shown(page), []);
});

it('a storage that is full keeps the session and what is not sent yet', {
  before: [() => {
    const set = Storage.prototype.setItem;
    Storage.prototype.setItem = function (key, value) {
      if (value.length > 2000) throw new DOMException('full', 'QuotaExceededError');
      set.call(this, key, value);
    };
  }],
}, async (page, chat) => {
  await chat.say('x'.repeat(100), { times: 100 });
  await until(page, () => document.querySelectorAll('.message').length === 100);
  chat.network.lost.add('say');
  await send(page, 'not lost');
  await chat.network.until((frames) => frames.some(({ type }) => type === 'say'));
  await page.reload();
  chat.network.lost.delete('say');
  chat.network.cut();
  await untilTaken(page, 1);
  assert.deepEqual(await chat.said(), ['not lost']);
  assert.equal((await chat.sessions()).length, 1);
});

it('what is kept is bounded, and the newest is kept', { config: { limits: { output_hard: '16MiB' } } }, async (page, chat) => {
  await chat.say(`${'x'.repeat(1000)}{number}`, { times: 1000 });
  await until(page, () => document.querySelectorAll('.message').length === 1000);
  await page.reload();
  await untilOpen(page);
  const all = await texts(page);
  assert.ok(all.length <= 200 && all.length > 100);
  assert.match(all.at(-1), /x999$/);
  assert.ok(await page.evaluate(() => JSON.stringify(sessionStorage).length) < 512 * 1024);
});

it('what waits to be sent is bounded, and the rest stays in the field', async (page, chat) => {
  chat.network.stop();
  await untilText(page, '#state p', 'The connection is lost. Trying again…');
  await page.evaluate(() => {
    const area = document.querySelector('#text');
    for (let number = 0; number < 100; ++number) {
      area.value = `text ${number}`;
      document.querySelector('form').requestSubmit();
    }
  });
  await put(page, 'one too many');
  await page.focus('#text');
  await page.keyboard.press('Enter');
  await untilText(page, '#hint', 'Too much is waiting to be sent. Wait for the connection.');
  assert.equal(await page.$eval('#text', (area) => area.value), 'one too many');
  await page.reload().catch(() => {});
  chat.network.start();
  await page.goto(chat.page);
  await untilTaken(page, 100);
  assert.deepEqual((await chat.said()).length, 100);
});

it('it comes back after 1, 2, 4, ... 30 s, and not all pages at once', { clock: true }, async (page, chat) => {
  chat.network.stop();
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    const wait = await waits(page);
    assert.ok(wait >= seconds * 750 && wait <= seconds * 1250, `${wait} ms instead of ${seconds} s`);
    await advance(page, wait);
    // The try fails by itself: nobody listens. Until then there is a timer of 15 s.
    await until(page, () => test.waits().length > 0 && !test.waits().map(Math.round).includes(15_000));
  }
  chat.network.start();
  await advance(page, await waits(page));
  await untilOpen(page);
});

for (const event of ['online', 'visibilitychange']) {
  it(`it comes back at once at ${event}`, { clock: true }, async (page, chat) => {
    chat.network.stop();
    await waits(page);
    chat.network.start();
    await page.evaluate((name) => (name === 'online' ? window : document).dispatchEvent(new Event(name)), event);
    await untilHellos(chat, 2);
    await untilOpen(page);
  });
}

it('an open connection is given up when the network changes', { clock: true }, async (page, chat) => {
  // Of a daemon that answers no pings nobody knows whether it is there.
  const { ping, ...welcome } = told(chat, 'welcome')[0];
  assert.equal(ping, 25);
  chat.network.insert({ ...welcome, resumed: true });
  chat.network.insert({ type: 'away', text: 'so far' });
  await untilText(page, '#away', 'so far');
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await advance(page, 1300);
  await untilHellos(chat, 2);
});

it('after a hand-over it comes back at once, but not again and again', { clock: true }, async (page, chat) => {
  await chat.handOver();
  assert.ok(await waits(page) <= 1);
  await advance(page, 1);
  await untilHellos(chat, 2);
  await untilOpen(page);
  await chat.handOver();
  assert.ok(await waits(page) >= 750);
});

it('who is not let in is told so, and tries again after a minute', {
  clock: true, closed: true, prepare: (chat) => chat.network.spoilt.add('hello'),
}, async (page, chat) => {
  await until(page, () => document.querySelector('#state p').textContent.startsWith('You were not let in. Trying again in a minute. '));
  assert.equal(await waits(page), 60_000);
  chat.network.spoilt.clear();
  await advance(page, 60_000);
  await untilOpen(page);
});

it('a text for which the connection is closed is not said again', async (page, chat) => {
  // The page was told that it may say more.
  await chat.reload({ session: { max_message: '1KiB' } });
  await put(page, 'x'.repeat(8000));
  await page.focus('#text');
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('.mark')?.textContent === 'not sent: too long');
  await untilText(page, '#state p', 'Connected again.');
  await send(page, 'smaller');
  await untilTaken(page, 1);
  assert.deepEqual(await chat.said(), ['smaller']);
});

it('a connection that is not welcomed within 15 s is given up', { clock: true }, async (page, chat) => {
  chat.network.lost.add('welcome');
  chat.network.cut();
  await advance(page, await waits(page));
  await untilHellos(chat, 2);
  await advance(page, 15_000);
  chat.network.lost.clear();
  await advance(page, await waits(page));
  await untilOpen(page);
  assert.equal((await chat.sessions()).length, 1);
});

// Counts the frames that came, before the page has seen them.
function countFrames() {
  test.frames = 0;
  window.WebSocket = class extends WebSocket {
    constructor(...values) {
      super(...values);
      this.addEventListener('message', () => ++test.frames);
    }
  };
}

it('a daemon that is silent is asked for a sign of life, and left if it gives none', {
  clock: true, before: [countFrames],
}, async (page, chat) => {
  const pings = () => chat.network.frames.filter(({ type }) => type === 'ping').length;
  // A ping after 25 s of silence, a look for its answer 20 s later.
  for (const [number, silence] of [[1, 25_000], [2, 5_000], [3, 5_000]]) {
    await advance(page, silence - 1);
    await chat.operator.call('stats');
    assert.equal(pings(), number - 1);
    await advance(page, 1);
    await chat.network.until(() => pings() === number);
    await until(page, (count) => test.frames === count, 1 + number);
    await advance(page, 20_000);
  }
  assert.equal(hellos(chat).length, 1);
  chat.network.lost.add('pong');
  await advance(page, 5_000);
  await chat.network.until(() => pings() === 4);
  await advance(page, 20_000);
  await advance(page, await waits(page));
  await untilHellos(chat, 2);
});

it('a page that wakes up asks whether the connection is alive', { clock: true, lost: ['pong'] }, async (page, chat) => {
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await chat.network.until((frames) => frames.some(({ type }) => type === 'ping'));
  await advance(page, 5000);
  await advance(page, await waits(page));
  await untilHellos(chat, 2);
});

it('what was seen is told at most once in a second, and only if the page is seen', { clock: true }, async (page, chat) => {
  const seen = () => chat.network.frames.filter(({ type }) => type === 'seen').map(({ seq }) => seq);
  await chat.say('number {number}', { times: 5 });
  await until(page, () => document.querySelectorAll('.message').length === 5);
  await advance(page, 999);
  await chat.operator.call('stats');
  assert.deepEqual(seen(), []);
  await advance(page, 1);
  await chat.network.until(() => seen().length === 1);
  await setHidden(page, true);
  await chat.say('unseen');
  await until(page, () => document.querySelectorAll('.message').length === 6);
  await advance(page, 10_000);
  // What is said now comes after whatever was told before.
  await send(page, 'hello');
  await untilTaken(page, 1);
  await setHidden(page, false);
  await advance(page, 1000);
  await chat.network.until(() => seen().length === 2);
  assert.deepEqual(seen(), [told(chat, 'message')[4].seq, told(chat, 'taken')[0].seq]);
});
