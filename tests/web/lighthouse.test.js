// Lighthouse, for which there is Chromium alone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import lighthouse, { desktopConfig } from 'lighthouse';
import { kBrowser, launch, Mock } from './harness.js';

const kLeast = 95;

let browser;
let mock;
before(async () => {
  browser = await launch();
  mock = await Mock.start();
});
after(async () => {
  await browser.close();
  await mock.stop();
});

for (const [device, config] of [['phone', undefined], ['desktop', desktopConfig]]) {
  test(`${kLeast} or more in each category: ${device}`, { timeout: 300_000, skip: kBrowser !== 'chromium' }, async (context) => {
    const page = await browser.newPage();
    const { lhr } = await lighthouse(mock.page, { logLevel: 'error' }, config, page);
    await page.close();
    const scores = Object.entries(lhr.categories).map(([name, { score }]) => [name, Math.round(score * 100)]);
    context.diagnostic(scores.map(([name, score]) => `${name} ${score}`).join(', '));
    const failed = Object.values(lhr.audits).filter(({ score }) => score !== null && score < 0.9).map(({ id, score }) => `${id} ${score}`);
    for (const [name, score] of scores) assert.ok(score >= kLeast, `${name} ${score}: ${failed}`);
    assert.equal(scores.length, 4);
  });
}
