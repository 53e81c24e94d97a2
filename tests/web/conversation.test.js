import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kBrowser, launch, put, send, setHidden, shown, texts, until, untilOpen, untilShown, untilTaken, untilText, visit, write } from './harness.js';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());
const it = (name, ...rest) => visit(test, () => browser, name, ...rest);

const kNamed = { web: { show_operator: true } };
const kMuch = { limits: { output_hard: '16MiB', messages_burst: 1000 } };

const attribute = (page, selector, name) => page.$eval(selector, (one, key) => one.getAttribute(key), name);
const readOut = (page, selector) => page.$eval(selector, (one) => one.closest('[aria-live]').getAttribute('aria-live'));
const visible = (page, selector) => page.$eval(selector, (one) => one.checkVisibility());

it('what was said, by whom, when, and that it has arrived', { config: { session: { greeting: 'a greeting' } } }, async (page, chat) => {
  await untilShown(page, 'a greeting');
  await send(page, 'hello');
  await untilTaken(page, 1);
  await chat.say('good day');
  await untilShown(page, 'a greeting', 'hello', 'good day');
  await chat.reload(kNamed);
  await chat.say('it is me', { by: 'Ada' });
  await untilShown(page, 'a greeting', 'hello', 'good day', 'it is me');
  assert.deepEqual((await shown(page)).map(({ who }) => who), ['Automatic answer', 'You', 'Operator', 'Ada']);
  assert.equal(await page.$eval('.visitor .mark', (one) => one.textContent), 'arrived');
  const times = await page.$$eval('.message time', (all) => all.map((one) => Date.parse(one.dateTime)));
  assert.equal(times.filter((time) => Math.abs(time - Date.now()) < 600_000).length, 4);
});

it('a text is marked as on its way until the daemon has it', { lost: ['say'] }, async (page, chat) => {
  await send(page, 'hello');
  await until(page, () => document.querySelector('.visitor .mark')?.textContent === 'sending…');
  await page.evaluate(() => { test.name = document.querySelector('.name'); });
  await chat.network.until((frames) => frames.some(({ type }) => type === 'say'));
  chat.network.lost.delete('say');
  chat.network.cut();
  await untilTaken(page, 1);
  // It is not read out once more.
  assert.ok(await page.evaluate(() => document.querySelector('.name') === test.name));
  assert.equal(await readOut(page, '.mark'), 'off');
});

it('Enter sends, Shift-Enter is a new line, blanks are not sent', async (page, chat) => {
  await page.focus('#text');
  await page.keyboard.press('Enter');
  await page.keyboard.type('  ');
  await page.keyboard.press('Enter');
  await page.$eval('#text', (area) => { area.value = ''; });
  await page.keyboard.type('one');
  await page.keyboard.down('Shift');
  await page.keyboard.press('Enter');
  await page.keyboard.up('Shift');
  await page.keyboard.type('two');
  assert.equal(await page.$eval('#text', (area) => area.value), 'one\ntwo');
  assert.ok(await page.$eval('#text', (area) => area.scrollHeight <= area.clientHeight), 'nothing to scroll in it');
  const before = await page.$eval('#text', (area) => area.offsetHeight);
  await page.keyboard.press('Enter');
  await untilTaken(page, 1);
  assert.deepEqual(await chat.said(), ['one\ntwo']);
  assert.equal(await page.$eval('#text', (area) => area.value), '');
  assert.ok(before > await page.$eval('#text', (area) => area.offsetHeight), 'the field grows with its lines');
  const rows = await page.$eval('.message .text', (one) => one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight));
  assert.ok(rows > 1.9, 'two lines are shown as two');
});

it('an Enter that chooses from an input method does not send', async (page, chat) => {
  await page.focus('#text');
  if (kBrowser === 'chromium') {
    const client = await page.createCDPSession();
    await client.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
    await client.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Enter', windowsVirtualKeyCode: 229 });
    await client.send('Input.insertText', { text: '日本' });
  } else {
    await page.keyboard.type('日本');
  }
  for (const init of [{ isComposing: true }, { keyCode: 229 }]) {
    await page.$eval('#text', (area, more) => area.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...more })), init);
  }
  assert.equal(await page.$eval('#text', (area) => area.value), '日本');
  await page.keyboard.press('Enter');
  await untilTaken(page, 1);
  assert.deepEqual(await chat.said(), ['日本']);
});

it('links can be clicked, and only links', async (page, chat) => {
  const text = 'See https://example.org/a_(b)?q=1#x, (http://[::1]:80/y). javascript:alert(1) data:text/html,x '
    + 'ftp://example.org https://bank.example@evil.example/ https:// HTTPS://EXAMPLE.ORG/Ä';
  await chat.say(text);
  await untilShown(page, text);
  const links = await page.$$eval('.text a', (all) => all.map(({ href, rel, target, textContent }) => ({ href, rel, target, textContent })));
  assert.deepEqual(links.map(({ href }) => href),
    ['https://example.org/a_(b)?q=1#x', 'http://[::1]/y', 'https://example.org/%C3%84']);
  for (const { rel, target } of links) assert.deepEqual([rel, target], ['noopener nofollow', '_blank']);
});

it('hostile texts are texts', async (page, chat) => {
  const hostile = [
    '<script>window.hacked = 1</script>', '<img src=x onerror="window.hacked = 1">', '"><svg onload=hacked=1>',
    '&lt;b&gt; &amp;', '${1+1} {{1+1}} {name}', '\u202eevil\u202d \u2066x', 'https://example.org/\u202egpj.exe', '\0\x07\x1b[31m', 'Z̸̢͝a̷l̸g̶o̵'.repeat(50),
  ];
  for (const text of hostile) await chat.say(text);
  await untilShown(page, ...hostile);
  // No daemon gives an operator such a name, or says such things.
  const seqs = hostile.map((_, index) => 1e6 + index);
  hostile.forEach((text, index) => chat.network.insert({ type: 'message', seq: seqs[index], time: 'never', from: 'operator', text: 'named', name: `<b>\u202e${text}` }));
  chat.network.insert({ type: 'away', text: hostile[1] });
  chat.network.insert({ type: 'writing', name: '</p><script>hacked=1</script>' });
  for (const frame of [{}, [], null, 7, { type: 'message' }, { type: 'message', seq: 'x', text: 'x' }, { type: 'message', seq: 999, text: {} },
    { type: 'taken' }, { type: 'refused' }, { type: 'writing', name: 7 }, { type: 'unheard-of' }, { type: 'taken', id: {}, seq: 1e99 }]) {
    chat.network.insert(frame);
  }
  await chat.say('the last');
  await untilShown(page, ...hostile, ...hostile.map(() => 'named'), 'the last');
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.$$eval('#messages :is(script, img, svg, b)', (all) => all.length), 0);
  assert.equal(await page.$$eval('#messages a', (all) => all.map((one) => one.textContent).join()), 'https://example.org/');
});

it('each text has its own direction and none changes what is beside it', { config: kNamed }, async (page, chat) => {
  await chat.say('שלום', { by: 'אבי' });
  await chat.say('hello\nשלום');
  await untilShown(page, 'שלום', 'hello\nשלום');
  const [first] = await page.$$eval('.text', (all) => all.map((one) => [one.dir, getComputedStyle(one).unicodeBidi, getComputedStyle(one).direction]));
  assert.deepEqual(first, ['auto', 'plaintext', 'rtl']);
  assert.equal(await page.$eval('.name', (one) => one.localName + getComputedStyle(one).unicodeBidi), 'bdiisolate');
  assert.equal(await attribute(page, '#text', 'dir'), 'auto');
  // The time stands after the name, whatever direction that has.
  const [name, time] = await page.$eval('.head', (head) => [...head.children].map((one) => one.getBoundingClientRect().left));
  assert.ok(name < time);
});

for (const width of [320, 1280]) {
  it(`a word of 60 KB wraps in ${width} pixels`, { width, height: 600, config: { ...kNamed, ...kMuch, session: { max_message: '64KiB' } } }, async (page, chat) => {
    const word = 'x'.repeat(61_440);
    await chat.say(word, { by: 'n'.repeat(64) });
    await put(page, `https://example.org/${'y'.repeat(40_000)}`);
    await page.keyboard.press('Tab');
    await page.focus('#text');
    await page.keyboard.press('Enter');
    await untilTaken(page, 1);
    const wide = await page.evaluate(() => [...document.querySelectorAll('body, body *')].filter((one) =>
      one.getBoundingClientRect().right > innerWidth + 1 || (one.id === 'log' && one.scrollWidth > one.clientWidth)).map((one) => one.className || one.id));
    assert.deepEqual(wide, []);
  });
}

it('what is copied is what was said, and what is pasted is text', async (page, chat) => {
  const text = 'one  two\nthree https://example.org/ four';
  await chat.say(text);
  await untilShown(page, text);
  const selected = await page.$eval('.text', (one) => {
    getSelection().selectAllChildren(one);
    return getSelection().toString();
  });
  assert.equal(selected, text);
  await page.evaluate(() => document.execCommand('copy'));
  await page.focus('#text');
  await page.keyboard.down('Control');
  await page.keyboard.press('v', { commands: ['Paste'] });
  await page.keyboard.up('Control');
  await until(page, () => document.querySelector('#text').value !== '');
  assert.equal(await page.$eval('#text', (area) => area.value), text);
});

it('operators who are away, and back', {
  prepare: (chat) => chat.operator.call('away', { text: 'Back at nine.\nהמשך' }),
}, async (page, chat) => {
  await untilText(page, '#away', 'Back at nine.\nהמשך');
  assert.ok(await visible(page, '#away'));
  await chat.operator.call('back');
  await untilText(page, '#away', '');
  chat.network.insert({ type: 'away', text: '' });
  await untilText(page, '#away', 'Nobody is here at the moment.');
  chat.network.cut();
  await untilText(page, '#state p', 'Connected again.');
  assert.equal(await page.$eval('#away', (one) => one.textContent), '');
});

it('an operator who is writing, for 5 s or until the message', { clock: true, config: kNamed }, async (page, chat) => {
  const [{ session }] = await chat.sessions();
  await chat.operator.call('writing', { session });
  await untilText(page, '#writing', '\u2068ann\u2069 is writing…');
  await page.evaluate(() => test.advance(4000));
  // From here on in the page's time, not in the daemon's.
  chat.network.insert({ type: 'writing' });
  await untilText(page, '#writing', '\u2068Operator\u2069 is writing…');
  await page.evaluate(() => test.advance(4900));
  assert.notEqual(await page.$eval('#writing', (one) => one.textContent), '');
  await page.evaluate(() => test.advance(200));
  assert.equal(await page.$eval('#writing', (one) => one.textContent), '');
  chat.network.insert({ type: 'writing' });
  await untilText(page, '#writing', '\u2068Operator\u2069 is writing…');
  await chat.say('here it is');
  await untilShown(page, 'here it is');
  assert.equal(await page.$eval('#writing', (one) => one.textContent), '');
});

it('a text that is refused says why and can be edited', { config: { limits: { messages_per_second: 0.1, messages_burst: 1 } } }, async (page, chat) => {
  await send(page, 'first');
  await untilTaken(page, 1);
  await send(page, 'hello');
  await until(page, () => document.querySelector('[data-state=refused] .mark')?.textContent === 'not sent: too much at once');
  assert.equal(await readOut(page, '[data-state=refused] .mark'), 'polite');
  await chat.reload({});
  await write(page, 'more');
  await page.click('.message button');
  assert.deepEqual(await texts(page), ['first']);
  assert.equal(await page.$eval('#text', (area) => area.value), 'hello\nmore');
  await page.keyboard.press('Enter');
  await untilTaken(page, 2);
  assert.deepEqual(await chat.said(), ['first', 'hello\nmore']);
});

it('a text that is too long is not sent, and says by how much', { config: { session: { max_message: '100B' } } }, async (page, chat) => {
  await put(page, `${'ä'.repeat(60)}`);
  await untilText(page, '#hint', 'The text is too long by 20 bytes.');
  await page.focus('#text');
  await page.keyboard.press('Enter');
  assert.deepEqual(await shown(page), []);
  await put(page, 'short');
  await untilText(page, '#hint', '');
  await page.keyboard.press('Enter');
  await untilTaken(page, 1);
  assert.deepEqual(await chat.said(), ['short']);
});

it('an operator who ends the chat; the visitor begins a new one', async (page, chat) => {
  await send(page, 'hello');
  await untilTaken(page, 1);
  const [{ session }] = await chat.sessions();
  await chat.operator.call('bye', { session });
  await untilText(page, '#state p', 'This chat is over.');
  assert.ok(await page.$eval('#text', (area) => area.disabled));
  await page.reload();
  await untilText(page, '#state p', 'This chat is over.');
  await untilShown(page, 'hello');
  await page.click('#state button');
  await untilOpen(page);
  await send(page, 'again');
  await untilTaken(page, 2);
  await untilText(page, '.line', 'A new chat begins here. What is above is past.');
  assert.deepEqual(await chat.saidBy(), [['hello'], ['again']]);
});

it('a visitor who ends the chat is asked once, then it is over for good', async (page, chat) => {
  await page.click('#end');
  await page.click('#no');
  await page.click('#end');
  await page.keyboard.press('Escape');
  await until(page, () => !document.querySelector('#ask').open);
  assert.deepEqual(chat.network.frames.filter(({ type }) => type === 'bye'), []);
  await page.click('#end');
  await page.focus('#yes');
  await page.keyboard.press('Enter');
  await untilText(page, '#state p', 'This chat is over.');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Begin a new chat');
  await chat.network.until((frames) => frames.some(({ type }) => type === 'bye'));
  await chat.operator.event('disconnected');
  assert.deepEqual(await chat.sessions(), []);
});

it('nobody is asked whether to end a chat while the daemon would not hear of it', async (page, chat) => {
  await page.click('#end');
  await until(page, () => document.querySelector('#ask').open);
  chat.network.stop();
  await until(page, () => !document.querySelector('#ask').open);
  chat.network.start();
  await untilOpen(page);
  assert.equal((await chat.sessions()).length, 1);
});

function countTones() {
  test.tones = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...values) {
    ++test.tones;
    return start.apply(this, values);
  };
  // A machine without sound never gets a context to run.
  Object.defineProperty(AudioContext.prototype, 'state', { get: () => 'running' });
}

it('a count in the title and a sound for what arrives while hidden, off by a switch that is remembered', { clock: true, before: [countTones] }, async (page, chat) => {
  const tones = () => page.evaluate(() => test.tones);
  await page.click('h1');
  await chat.say('seen');
  await untilShown(page, 'seen');
  assert.deepEqual([await page.title(), await tones()], ['Chat', 0]);
  await setHidden(page, true);
  await chat.say('unseen');
  await until(page, () => document.title === '(1) Chat');
  assert.equal(await tones(), 1);
  await chat.say('unseen');
  await until(page, () => document.title === '(2) Chat');
  assert.equal(await tones(), 1, 'not one on top of the other');
  await page.evaluate(() => test.advance(1000));
  await chat.say('unseen');
  await until(page, () => document.title === '(3) Chat');
  assert.equal(await tones(), 2);
  await page.evaluate(() => test.advance(1000));
  await setHidden(page, false);
  assert.equal(await page.title(), 'Chat');
  await page.click('#sound');
  await setHidden(page, true);
  await chat.say('silent');
  await until(page, () => document.title === '(1) Chat');
  assert.equal(await tones(), 2);
  await page.reload();
  await untilOpen(page);
  assert.equal(await page.$eval('#sound', (one) => one.checked), false);
  await page.click('h1');
  await setHidden(page, true);
  await chat.say('silent');
  await until(page, () => document.title === '(1) Chat');
  assert.equal(await tones(), 0);
});

it('a draft survives a reload', async (page) => {
  await write(page, 'half a tho');
  await page.reload();
  await untilOpen(page);
  assert.equal(await page.$eval('#text', (area) => area.value), 'half a tho');
  await page.focus('#text');
  await page.keyboard.press('Enter');
  await untilTaken(page, 1);
  await page.reload();
  await untilOpen(page);
  assert.equal(await page.$eval('#text', (area) => area.value), '');
});

// The settings come when the test wants it.
function holdSettings() {
  const load = window.fetch;
  window.fetch = (...all) => new Promise((done) => { test.release = () => { done(load(...all)); }; });
}

it('what is typed before the page is ready stays', { closed: true, before: [holdSettings] }, async (page, chat) => {
  await write(page, 'early');
  await until(page, () => test.release);
  await page.evaluate(() => test.release());
  await untilOpen(page);
  await page.keyboard.press('Enter');
  await untilTaken(page, 1);
  assert.deepEqual(await chat.said(), ['early']);
});

const untilAtEnd = (page) => until(page, () => {
  const log = document.querySelector('#log');
  return log.scrollTop > 0 && log.scrollHeight - log.clientHeight - log.scrollTop < 2;
});

it('the end stays in sight unless the reader has scrolled up; then a button counts', async (page, chat) => {
  await chat.say('number {number}\nof many', { times: 60 });
  await until(page, () => document.querySelectorAll('.message').length === 60);
  await untilAtEnd(page);
  await page.focus('#log');
  await page.keyboard.press('Home');
  await until(page, () => document.querySelector('#log').scrollTop === 0);
  await chat.say('new');
  await untilText(page, '#newer', '1 new message');
  await chat.say('new');
  await untilText(page, '#newer', '2 new messages');
  assert.equal(await page.$eval('#log', (log) => log.scrollTop), 0);
  await page.click('#newer');
  await until(page, () => document.querySelector('#newer').hidden);
  await untilAtEnd(page);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'log');
  // What the visitor says himself is shown to him.
  await page.keyboard.press('Home');
  await until(page, () => document.querySelector('#log').scrollTop === 0);
  await send(page, 'mine');
  await untilAtEnd(page);
  // A keyboard on the screen takes room: the end is still there.
  await page.setViewport({ width: 1024, height: 400 });
  await until(page, () => innerHeight === 400);
  await untilAtEnd(page);
});

it('2,000 messages stay smooth, and 3,000 are no more', { config: kMuch }, async (page, chat) => {
  await page.evaluate(() => {
    test.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) test.longest = Math.max(test.longest, duration);
    }).observe({ type: 'longtask' });
  });
  await chat.say('number {number}, https://example.org/{number}\nof many', { times: 2000 });
  await until(page, () => document.querySelectorAll('.message').length === 2000);
  const begin = Date.now();
  await send(page, 'typed among them');
  await untilTaken(page, 1);
  // A generous factor: the machine may be busy with other things.
  assert.ok(Date.now() - begin < 5000, `${Date.now() - begin} ms to type and send`);
  const longest = await page.evaluate(() => test.longest);
  assert.ok(longest < 500, `a task of ${longest} ms`);
  await chat.say('later {number}', { times: 1000 });
  await until(page, () => document.querySelector('.message:last-child .text').textContent === 'later 999');
  assert.equal(await page.$$eval('.message', (all) => all.length), 2000);
  await untilAtEnd(page);
});

it('German for whom it is, with what the configuration overrides', {
  languages: ['fr-FR', 'de-AT', 'en'],
  config: { web: { title: 'Werkstatt', accent: '#ffcc00', sound: false, texts: { de: { operator: 'Meister' }, en: { operator: 'Master' } } } },
}, async (page, chat) => {
  await chat.say('Tag');
  await untilShown(page, 'Tag');
  assert.deepEqual([await attribute(page, 'html', 'lang'), await page.title(), await page.$eval('h1', (one) => one.textContent)], ['de', 'Werkstatt', 'Werkstatt']);
  assert.equal((await shown(page))[0].who, 'Meister');
  assert.equal(await page.$eval('#send', (one) => one.textContent), 'Senden');
  assert.equal(await page.$eval('#sound', (one) => one.checked), false);
  assert.deepEqual(await page.$eval('#send', (one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]), ['rgb(255, 204, 0)', 'rgb(0, 0, 0)']);
});

// No configuration can have these.
function strangeSettings() {
  const load = window.fetch;
  window.fetch = async (...all) => {
    const settings = await (await load(...all)).json();
    return Response.json({ ...settings, accent: 'url(//evil.example)', title: 7 });
  };
}

it('the language of the configuration goes before the browser\'s, and may be a new one', {
  languages: ['de'], before: [strangeSettings], config: { web: { language: 'fr', texts: { fr: { send: 'Envoyer' } } } },
}, async (page) => {
  assert.deepEqual([await attribute(page, 'html', 'lang'), await page.$eval('#send', (one) => one.textContent), await page.title()], ['fr', 'Envoyer', 'Chat']);
});

for (const [language, direction, what] of [
  ['he', 'rtl', 'one that is written from right to left'], ['abcd', 'ltr', 'one that no browser knows'],
]) {
  it(`a language that the configuration adds: ${what}`, { config: { web: { language, texts: { [language]: { send: 'Go' } } } } }, async (page, chat) => {
    await chat.say('hello');
    await untilShown(page, 'hello');
    assert.deepEqual([await attribute(page, 'html', 'lang'), await attribute(page, 'html', 'dir'), await page.$eval('#send', (one) => one.textContent)],
      [language, direction, 'Go']);
  });
}

it('every text exists in both languages', async (page) => {
  const missing = await page.evaluate(async () => {
    const { chooseTexts } = await import('/texts.js');
    const source = await (await fetch('/texts.js')).text();
    const names = [...source.matchAll(/^(\w+): ['"]/gm)].map(([, name]) => name);
    return [names.filter((name) => names.filter((other) => other === name).length !== 2), chooseTexts(['de'], null).language];
  });
  assert.deepEqual(missing, [[], 'de']);
});

it('a line between days', async (page, chat) => {
  chat.network.insert({ type: 'message', seq: 2, time: '2026-01-02T12:00:00.000Z', from: 'operator', text: 'long ago' });
  chat.network.insert({ type: 'message', seq: 4, time: new Date().toISOString(), from: 'operator', text: 'now' });
  await untilShown(page, 'long ago', 'now');
  assert.equal((await page.$$('.day')).length, 2);
  assert.equal((await texts(page)).length, 2);
});

it('the line of a day stays as long as a message of it', async (page) => {
  const shapes = await page.evaluate(async () => {
    const { View } = await import('/view.js');
    const list = document.createElement('div');
    const view = new View(list, 'en', String, () => {});
    const entries = ['2026-01-02T12:00:00Z', '2026-01-02T12:10:00Z', '2026-01-05T12:00:00Z'].map((time) =>
      ({ kind: 'message', from: 'operator', text: '', time }));
    for (const entry of entries) view.add(entry);
    return entries.map((entry) => {
      view.remove(entry);
      return [...list.children].map((one) => one.className).join();
    });
  });
  assert.deepEqual(shapes, ['line day,message operator,line day,message operator', 'line day,message operator', 'line day']);
});
