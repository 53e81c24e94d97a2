// What the page is made of.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { withChat } from './harness.js';

const web = new URL('../../web/', import.meta.url);
const names = await readdir(web);
const source = (name) => readFile(new URL(name, web), 'utf8');

test('all that the page loads is less than 40 KB, uncompressed', () => withChat({ direct: true }, async (chat) => {
  let size = 0;
  for (const name of names.filter((one) => one !== 'widget.js')) {
    size += (await (await fetch(chat.page + (name === 'index.html' ? '' : name))).arrayBuffer()).byteLength;
  }
  assert.ok(size > 10_000 && size < 40_000, `${size} bytes`);
}));

test('what somebody wrote becomes text: nothing makes markup or code of strings', async () => {
  for (const name of names.filter((one) => one.endsWith('.js'))) {
    assert.doesNotMatch(await source(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc/, name);
  }
});

test('the page names every module that it loads, so that they come at once', async () => {
  const page = await source('index.html');
  const modules = names.filter((name) => name.endsWith('.js') && !['chat.js', 'widget.js'].includes(name));
  for (const name of modules) assert.ok(page.includes(`<link rel="modulepreload" href="${name}">`), name);
  assert.doesNotMatch(page, / style=| on\w+=|<style|<script>|https?:/, 'nothing inline, nothing from elsewhere');
});

test('what the stylesheet puts in is there to be seen alone, not to be read out', async () => {
  const contents = [...(await source('chat.css')).matchAll(/\bcontent: ([^;]*);/g)].map(([, content]) => content);
  assert.ok(contents.length > 0);
  for (const content of contents) assert.match(content, /^""$|\/ ""$/);
});

test('what is left out when it is packed changes nothing', async () => {
  // Lines that begin as comments are comments, wherever they stand.
  for (const name of names.filter((one) => one.endsWith('.js'))) {
    const inside = (await source(name)).match(/`[^`]*`/g) ?? [];
    assert.ok(!inside.some((text) => /^ *\/\//m.test(text)), name);
  }
});
