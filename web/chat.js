// Puts the page together: what happens at the one end is told to the other.

import { Attention } from './attention.js';
import { Connection } from './connection.js';
import { Conversation } from './conversation.js';
import { Field } from './field.js';
import { Frame } from './frame.js';
import { Memory } from './memory.js';
import { Scroll } from './scroll.js';
import { Tabs } from './tabs.js';
import { chooseTexts } from './texts.js';
import { View } from './view.js';

// Messages in the page.
const kShown = 2000;
// ms between two times that the daemon is told what was seen.
const kSeen = 1000;
// ms that an operator counts as writing.
const kWriting = 5000;
// ms to read that the connection is back.
const kBack = 3000;
// ms that a connection may take before it is worth a word.
const kSlow = 1000;

const element = (id) => document.getElementById(id);

let state = '';
let stateTimer = null;
let writingTimer = null;
let seenTimer = null;
let seenTold = 0;

const settings = await loadSettings();
const wanted = typeof settings.language === 'string' ? [settings.language] : [];
const { language, say } = chooseTexts([...wanted, ...navigator.languages], settings.texts);
const title = typeof settings.title === 'string' ? settings.title : say('title');

const memory = new Memory();
const tabs = new Tabs((token) => conversation.moved(token));
const frame = new Frame((open, focus) => {
  attention.frameHidden = !open;
  if (focus) field.focus();
});

const conversation = new Conversation(memory, {
  added: (entry) => view.add(entry),
  changed: (entry) => view.change(entry),
  removed: (entry) => view.remove(entry),
  held: (token) => tabs.hold(token),
});
const view = new View(element('messages'), language, say, (entry) => field.giveBack(conversation.take(entry)));
const scroll = new Scroll(element('log'), element('messages'), element('newer'), (count) =>
  say(count === 1 ? 'newerOne' : 'newer', { count }));
const attention = new Attention(title, conversation.unread, frame.inside, {
  changed: (count) => {
    conversation.unread = count;
    frame.tell({ chatd: 'unread', count });
  },
  visible: () => {
    connection.nudge(false);
    tellSeenSoon();
  },
});
const connection = new Connection(address(), {
  hello: () => {
    seenTold = conversation.seen;
    return conversation.hello();
  },
  receive,
  state: showState,
  tooLong: () => conversation.tooLong(),
});
const field = new Field(element('form'), element('text'), memory, sendText, hint);

dress();
for (const entry of conversation.entries) view.add(entry);
scroll.toEnd();
// Two frames later, so that what is there now counts as old for screen readers.
requestAnimationFrame(() => requestAnimationFrame(() => element('log').setAttribute('aria-live', 'polite')));
listen();
frame.tell({ chatd: 'ready' });
await begin();

async function loadSettings() {
  try {
    const answer = await fetch('settings.json', { signal: AbortSignal.timeout?.(5000) });
    return Object(await answer.json());
  } catch {
    return {};   // the page has everything that it needs
  }
}

function address() {
  const url = new URL('chat', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = url.hash = '';
  return url.href;
}

async function begin() {
  const { left } = memory;
  memory.left = false;
  if (conversation.over) return showOver('');
  const { entries, token } = conversation;
  const waiting = entries.filter(({ state }) => state === 'waiting');
  // A copy of a tab begins a chat of its own; what waited when it was made, the other one says.
  if (token && !left && await tabs.taken(token)) {
    for (const entry of waiting) conversation.take(entry);
    conversation.leave();
  }
  tabs.hold(conversation.token);
  connection.connect();
}

// ---- What the daemon says

function receive(message) {
  switch (message.type) {
    case 'welcome':
      conversation.welcome(message);
      showAway(null);
      conversation.flush((say) => connection.send(say), true);
      return;
    case 'message': {
      const entry = conversation.message(message);
      conversation.forgetBefore(kShown);
      if (message.from !== 'visitor') showWriting(null);
      if (entry) {
        scroll.arrived();
        attention.arrived();
      }
      return tellSeenSoon();
    }
    case 'taken':
      conversation.taken(message);
      return tellSeenSoon();
    case 'refused': return conversation.refused(message);
    case 'away': return showAway(typeof message.text === 'string' && message.text || say('away'));
    case 'here': return showAway(null);
    case 'writing': return showWriting(message.name);
    case 'bye': return showOver(message.text);
  }
}

function tellSeenSoon() {
  seenTimer ??= setTimeout(() => {
    seenTimer = null;
    tellSeen();
  }, kSeen);
}

// Only what lies before somebody's eyes was seen, and only what is kept may be said to be.
function tellSeen() {
  const { seen } = conversation;
  if (attention.hidden || seen === seenTold) return;
  conversation.save();
  if (connection.send({ type: 'seen', seq: seen })) seenTold = seen;
}

// ---- What the visitor does

function sendText(text) {
  const entry = conversation.say(text);
  if (typeof entry === 'string') {
    element('hint').textContent = say(entry, { count: conversation.excess(text) });
    return false;
  }
  hint('');
  conversation.forgetBefore(kShown);
  scroll.toEnd();
  if (connection.open) conversation.flush((frame) => connection.send(frame), false);
  return true;
}

function hint(text) {
  const excess = conversation.excess(text);
  element('hint').textContent = excess > 0 ? say('tooLong', { count: excess }) : '';
}

function listen() {
  for (const kind of ['online', 'offline']) addEventListener(kind, () => connection.nudge(true));
  addEventListener('pagehide', () => {
    conversation.save();
    memory.left = true;
  });
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    // Since the browser put this page aside, another one has gone on in this tab: what that
    // one has left is newer.
    if (memory.left && memory.load().token !== conversation.token) {
      memory.isOld = true;
      connection.close();
      return location.reload();
    }
    memory.left = false;
    if (!conversation.over && state !== 'elsewhere') connection.connect();
  });
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.isComposing && !element('ask').open) frame.tell({ chatd: 'close' });
  });

  const sound = element('sound');
  sound.checked = attention.sound = memory.sound ?? settings.sound !== false;
  sound.addEventListener('change', () => { memory.sound = attention.sound = sound.checked; });

  element('end').addEventListener('click', () => element('ask').showModal());
  element('no').addEventListener('click', () => element('ask').close());
  element('yes').addEventListener('click', () => {
    connection.send({ type: 'bye' });
    showOver('');
    element('state').lastElementChild.focus();
  });

  // Where a keyboard covers the page instead of making it smaller, it gets smaller by this.
  visualViewport?.addEventListener('resize', () => {
    if (visualViewport.scale > 1.01) return;
    document.documentElement.style.setProperty('--height', `${visualViewport.height}px`);
    scrollTo(0, 0);
  });
  if (matchMedia('(pointer: fine)').matches && !frame.inside) field.focus();
}

// ---- What is shown

function dress() {
  const root = document.documentElement;
  root.lang = language;
  root.dir = /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/.test(language) ? 'rtl' : 'ltr';
  for (const one of document.querySelectorAll('[data-text]')) one.textContent = say(one.dataset.text);
  document.querySelector('h1').textContent = title;
  element('text').placeholder = say('placeholder');
  element('log').setAttribute('aria-label', say('log'));
  if (typeof settings.accent !== 'string' || !CSS.supports('color', settings.accent)) return;
  root.style.setProperty('--accent', settings.accent);
  root.style.setProperty('--on-accent', isBright(getComputedStyle(element('send')).backgroundColor) ? '#000' : '#fff');
}

// Whether black can be read on it better than white (WCAG's luminance).
function isBright(color) {
  const [red, green, blue] = color.match(/[\d.]+/g).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179;
}

function showState(now, reason) {
  clearTimeout(stateTimer);
  const wasLost = state !== '' && state !== 'open';
  element('end').hidden = now !== 'open';
  // A bye would not arrive.
  if (now !== 'open') element('ask').close();
  switch (now) {
    case 'connecting':
      // A loss stays to be read until the connection is back.
      if (!wasLost) stateTimer = setTimeout(() => setState(say('connecting')), kSlow);
      return;
    case 'open':
      setState(wasLost ? say('back') : '');
      stateTimer = setTimeout(() => setState(''), kBack);
      break;
    case 'elsewhere':
      setState(say('elsewhere'), 'goOnHere', () => {
        connection.connect();
        field.focus();
      });
      break;
    default:
      setState(say(now, { reason }));
  }
  state = now;
  if (now !== 'open') {
    showWriting(null);
    showAway(null);
  }
}

function showOver(text) {
  connection.close();
  if (!conversation.over) conversation.bye();
  showState('over');
  setState(typeof text === 'string' && text || say('over'), 'again', () => {
    conversation.leave();
    field.disabled = element('send').disabled = false;
    state = '';
    setState('');
    connection.connect();
    field.focus();
  });
  field.disabled = element('send').disabled = true;
}

// A sentence above the conversation and, if there is something to be done about it, a button.
function setState(text, action, act) {
  const [line, button] = element('state').children;
  if (line.textContent !== text) line.textContent = text;
  button.hidden = !action;
  button.textContent = action ? say(action) : '';
  button.onclick = act ?? null;
}

function showAway(text) {
  element('away').textContent = text ?? '';
}

function showWriting(name) {
  clearTimeout(writingTimer);
  const line = element('writing');
  const who = typeof name === 'string' && name ? name : say('operator');
  const text = name === null ? '' : say('writing', { name: `\u2068${who}\u2069` });
  if (line.textContent !== text) line.textContent = text;
  if (text) writingTimer = setTimeout(() => showWriting(null), kWriting);
}
