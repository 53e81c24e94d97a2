// The pictures of the page in README, as Chromium shows it. With PICTURES=FOLDER they are put there.

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, put, send, until, untilTaken, visit } from './harness.js';

const kMost = 16_000;   // bytes
const kConfig = { web: { title: 'Workshop', show_operator: true } };

let browser;
let folder;
before(async () => {
  browser = await launch();
  folder = await mkdtemp(join(tmpdir(), 'pictures-'));
});
after(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

for (const [name, scheme, width, height] of [['page', 'light', 720, 460], ['page-phone', 'dark', 360, 460]]) {
  visit((...all) => test(...all), () => browser, `a picture: ${name}`, { width, height, config: kConfig }, async (page, chat) => {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await send(page, 'Is the printer on?');
    await untilTaken(page, 1);
    await chat.say('It is now. What shall I print?', { by: 'Ada' });
    await until(page, () => document.querySelectorAll('.message').length === 2);
    await put(page, 'The poster, twice, please.\nhttps://example.org/poster.pdf');
    await page.focus('#text');
    await page.keyboard.press('Enter');
    await untilTaken(page, 2);
    await chat.say('On its way.', { by: 'Ada' });
    await until(page, () => document.querySelectorAll('.message').length === 4);
    await put(page, 'Thank you');
    await (await chat.join('Ada')).call('writing', { session: (await chat.sessions())[0].session });
    await until(page, () => document.querySelector('#writing').textContent !== '');
    await until(page, () => document.querySelector('.message:last-child').getBoundingClientRect().bottom < innerHeight);
    const file = join(folder, `${name}.webp`);
    await page.screenshot({ path: file, type: 'webp', quality: 60 });
    const { size } = await stat(file);
    assert.ok(size > 4000 && size < kMost, `${size} bytes`);
    if (process.env.PICTURES) await copyFile(file, join(process.env.PICTURES, `${name}.webp`));
  });
}
