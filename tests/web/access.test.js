// Whoever sees, hears or types differently, with whatever device.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { kBrowser, launch, put, send, until, untilOpen, untilShown, untilTaken, untilText, visit, Visitor, withChat, write } from './harness.js';

let browser;
let axe;
before(async () => {
  browser = await launch();
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});
after(() => browser.close());
const it = (name, ...rest) => visit(test, () => browser, name, ...rest);

async function violations(page) {
  for (const frame of page.frames()) await frame.evaluate(axe);
  return page.evaluate(async () => {
    const { violations: found } = await axe.run({ resultTypes: ['violations'] });
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any, all }) => `${html} ${[...any, ...all].map(({ message }) => message)}`)}`);
  });
}

// Everything that the page can show at once.
async function fill(page, chat) {
  await untilShown(page, 'a greeting');
  await send(page, 'hello https://example.org/');
  await untilTaken(page, 1);
  await send(page, 'too much');
  await until(page, () => document.querySelector('[data-state=refused]'));
  chat.network.lost.add('say');
  await send(page, 'on its way');
  await chat.say('good day, https://example.org/', { by: 'Ada' });
  await chat.say('number {number}\nof many', { times: 40 });
  await until(page, () => document.querySelectorAll('.message').length === 45);
  await until(page, () => document.querySelector('#log').scrollTop > 0);
  await page.focus('#log');
  await page.keyboard.press('Home');
  await until(page, () => document.querySelector('#log').scrollTop === 0);
  await chat.say('new');
  await until(page, () => !document.querySelector('#newer').hidden);
  await chat.operator.call('writing', { session: (await chat.sessions())[0].session });
  await until(page, () => document.querySelector('#writing').textContent !== '');
  for (const one of [chat.operator, ...chat.others.values()]) await one.call('away', { text: 'Back at nine.' });
  await untilText(page, '#away', 'Back at nine.');
  await put(page, 'x'.repeat(9000));
  await untilText(page, '#hint', 'The text is too long by 808 bytes.');
}

const kFull = {
  session: { greeting: 'a greeting', farewell: 'Good night.' },
  limits: { messages_per_second: 0.1, messages_burst: 1 },
  web: { show_operator: true },
};

// Firefox shows dark colours here, see harness.js.
const kSchemes = kBrowser === 'chromium' ? ['light', 'dark'] : ['dark'];
for (const scheme of kSchemes) {
  for (const [device, width, height] of [['desktop', 1280, 800], ['phone', 360, 640]]) {
    it(`axe has nothing to say: ${scheme}, ${device}`, { width, height, config: kFull }, async (page, chat) => {
      if (kBrowser === 'chromium') await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      const ink = await page.$eval(':root', (root) => getComputedStyle(root).backgroundColor);
      assert.equal(ink, scheme === 'dark' ? 'rgb(20, 23, 27)' : 'rgb(255, 255, 255)');
      assert.deepEqual(await violations(page), [], 'empty');
      await fill(page, chat);
      assert.deepEqual(await violations(page), [], 'full');
      await put(page, '');
      await page.click('#end');
      assert.deepEqual(await violations(page), [], 'with its question');
      await page.click('#no');
      await chat.operator.call('bye', { session: (await chat.sessions())[0].session });
      await untilText(page, '#state p', 'This chat is over.');
      assert.deepEqual(await violations(page), [], 'over');
    });
  }
}

test('axe has nothing to say: the widget open on a site', { timeout: 180_000 }, () => withChat({}, async (chat) => {
  const visitor = await Visitor.come(browser, chat, { url: `${chat.site}1` });
  const { page } = visitor;
  await until(page, () => document.querySelector('[data-chatd-widget]'));
  assert.deepEqual(await violations(page), [], 'closed');
  // The widget is the last thing on the page that takes the focus.
  await page.keyboard.down('Shift');
  await page.keyboard.press('Tab');
  await page.keyboard.up('Shift');
  await page.keyboard.press('Enter');
  await chat.network.until((frames) => frames.length > 0);
  const frame = page.frames().find((one) => one.url().startsWith(chat.page));
  await untilOpen(frame);
  await chat.say('hello');
  await untilShown(frame, 'hello');
  assert.deepEqual(await violations(page), [], 'open');
  await visitor.leave();
}));

it('everything can be done with the keyboard alone, in the order of what is seen', async (page, chat) => {
  await chat.say('see https://example.org/');
  await untilShown(page, 'see https://example.org/');
  await page.evaluate(() => document.activeElement.blur());
  const order = [];
  for (let number = 0; number < 6; ++number) {
    await page.keyboard.press('Tab');
    order.push(await page.evaluate(() => document.activeElement.id || document.activeElement.localName));
  }
  // Whoever clicked nowhere begins at the field, where the focus was.
  const ring = ['sound', 'end', 'log', 'a', 'text', 'send'];
  const begin = ring.indexOf(order[0]);
  const seen = order.filter((name) => ring.includes(name));
  assert.ok(begin >= 0 && seen.length >= 5, order.join());
  const numbers = seen.map((name) => (ring.indexOf(name) - begin + ring.length) % ring.length);
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), order.join());
  // What has the focus shows it.
  await page.focus('#log');
  await page.keyboard.press('Tab');
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
  // The question takes the focus and gives it back.
  await page.focus('#end');
  await page.keyboard.press('Enter');
  await until(page, () => document.querySelector('#ask').open && document.activeElement.id === 'no');
  await page.keyboard.press('Enter');
  await until(page, () => document.activeElement.id === 'end');
});

it('what screen readers are told', async (page) => {
  const roles = await page.$$eval('[role]', (all) => all.map((one) => `${one.getAttribute('role')} ${one.id}`.trim()));
  assert.deepEqual(roles, ['switch sound', 'status', 'status away', 'log log', 'status writing', 'alert hint']);
  assert.equal(await page.$eval('label[for=text]', (one) => one.textContent), 'Your message');
  assert.equal(await page.$eval('#log', (one) => one.getAttribute('aria-label')), 'Conversation');
  await until(page, () => document.querySelector('#log').getAttribute('aria-live') === 'polite');
});

it('nothing moves for whom that is too much', async (page, chat) => {
  const animated = () => page.$eval('#writing', (one) => getComputedStyle(one, '::after').animationName);
  await chat.operator.call('writing', { session: (await chat.sessions())[0].session });
  await until(page, () => document.querySelector('#writing').textContent !== '');
  assert.equal(await animated(), 'dots');
  if (kBrowser !== 'chromium') return;
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  assert.equal(await animated(), 'none');
});

it('a keyboard on the screen covers nothing', { width: 360, height: 640 }, async (page, chat) => {
  await chat.say('number {number}', { times: 40 });
  await until(page, () => document.querySelectorAll('.message').length === 40);
  await page.evaluate(() => {
    Object.defineProperty(visualViewport, 'height', { get: () => 300 });
    visualViewport.dispatchEvent(new Event('resize'));
  });
  await until(page, () => document.querySelector('#form').getBoundingClientRect().bottom <= 300);
  await until(page, () => document.querySelector('.message:last-child').getBoundingClientRect().bottom
    <= document.querySelector('#form').getBoundingClientRect().top);
  assert.ok(await page.$eval('#text', (one) => parseFloat(getComputedStyle(one).fontSize) >= 16), 'phones zoom into smaller fields');
});

for (const [width, height] of [[320, 480], [568, 320], [1920, 1080]]) {
  it(`everything fits into ${width} x ${height}`, { width, height, languages: ['de'] }, async (page, chat) => {
    await chat.operator.call('away', { text: 'Wir sind morgen ab neun Uhr wieder da. '.repeat(20) });
    await write(page, 'hello');
    await until(page, () => document.querySelector('#away').textContent !== '');
    const outside = await page.evaluate(() => [...document.querySelectorAll('#text, #send, #sound, #end, #log')].filter((one) => {
      const { left, top, right, bottom } = one.getBoundingClientRect();
      return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight || bottom - top < 20;
    }).map((one) => one.id));
    assert.deepEqual(outside, []);
    const small = await page.evaluate(() => [...document.querySelectorAll('button')].filter((one) =>
      one.checkVisibility() && one.getBoundingClientRect().height < 44).map((one) => one.textContent));
    assert.deepEqual(small, [], 'fingers need 44 pixels');
  });
}
