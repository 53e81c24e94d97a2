// Puts a button into the corner of another site that opens the chat in a frame:
//   <script src="https://host/widget.js" async></script>
// Leaves no names behind, and does nothing where its button is there already. The site may choose
// the button's colours by the CSS properties --chatd-accent and --chatd-on-accent.
(() => {
  'use strict';

  const kMark = 'data-chatd-widget';
  const kOpen = 'chatd.widget';
  const kTexts = {
    en: { chat: 'Chat', open: 'Open the chat', close: 'Close the chat', unread: 'unread messages: ' },
    de: { chat: 'Chat', open: 'Chat öffnen', close: 'Chat schließen', unread: 'ungelesene Nachrichten: ' },
  };
  const kStyle = `
    :host { all: initial; }
    button {
      position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483001; width: 3.5rem; height: 3.5rem;
      padding: 0; border: 2px solid transparent; border-radius: 50%; cursor: pointer;
      background: var(--chatd-accent, #0a5fb4); color: var(--chatd-on-accent, #fff);
      box-shadow: 0 2px 8px rgb(0 0 0 / 40%);
    }
    button:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px #000; }
    svg { width: 1.75rem; height: 1.75rem; vertical-align: middle; fill: none; stroke: currentcolor;
      stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    span {
      position: absolute; top: -0.4rem; right: -0.4rem; min-width: 1.4rem; padding: 0 0.3rem; border-radius: 0.7rem;
      background: #a31212; color: #fff; font: bold 0.8rem/1.4rem system-ui, sans-serif; box-sizing: border-box;
    }
    span:empty { display: none; }
    iframe {
      position: fixed; right: 1rem; bottom: 5.25rem; z-index: 2147483000; visibility: hidden;
      width: min(24rem, 100vw - 2rem); height: min(36rem, 100vh - 6.5rem); height: min(36rem, 100dvh - 6.5rem);
      border: 1px solid #8a939d; border-radius: 0.75rem; background: Canvas; box-shadow: 0 4px 24px rgb(0 0 0 / 40%);
    }
    iframe.open { visibility: visible; }`;

  const source = document.currentScript?.src;
  if (!source) return;
  const page = new URL('./', source);

  if (document.body) start();
  else document.addEventListener('DOMContentLoaded', start, { once: true });

  function start() {
    const there = [...document.querySelectorAll(`[${kMark}]`)];
    if (there.some((other) => other.getAttribute(kMark) === page.href)) return;

    const tag = navigator.languages.map((one) => one.split('-')[0]).find((one) => kTexts[one]) ?? 'en';
    const texts = kTexts[tag];
    let frame = null;
    let open = false;
    let unread = 0;
    let ready = false;   // the page in the frame listens
    let focus = false;   // the visitor has just opened it: here is where he writes

    const host = make('div', { [kMark]: page.href, lang: tag });
    const button = make('button', { type: 'button' });
    const count = make('span', { 'aria-hidden': 'true' });
    button.append(icon(), count);
    const root = host.attachShadow({ mode: 'closed' });
    style(root);
    root.append(button);
    document.body.append(host);

    button.addEventListener('click', () => show(!open));
    host.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && open) show(false);
    });
    addEventListener('message', (event) => {
      if (!frame || event.source !== frame.contentWindow || event.origin !== page.origin) return;
      const { chatd, count: number } = Object(event.data);
      if (chatd === 'ready') {
        ready = true;
        tell();
      }
      if (chatd === 'close' && open) show(false);
      if (chatd === 'unread' && Number.isSafeInteger(number) && number >= 0) {
        unread = number;
        label();
      }
    });
    // Who has a chat keeps it from one page of the site to the next.
    const before = remembered();
    if (before) load();
    if (before === 'open') show(true, true);
    label();

    function load() {
      frame = make('iframe', { title: texts.chat, src: `${page.href}#site=${encodeURIComponent(origin)}` });
      root.insertBefore(frame, button);
    }

    function show(now, quietly) {
      open = now;
      if (!frame) load();
      frame.classList.toggle('open', open);
      remember(open ? 'open' : 'closed');
      label();
      focus = open && !quietly;
      if (quietly) return;
      tell();
      (open ? frame : button).focus();
    }

    function tell() {
      if (!ready) return;
      frame.contentWindow.postMessage({ chatd: open ? 'opened' : 'closed', focus }, page.origin);
      // Once: a page that is loaded again must not take the focus from the site.
      focus = false;
    }

    function label() {
      count.textContent = unread > 99 ? '99+' : unread || '';
      const words = open ? texts.close : texts.open;
      button.setAttribute('aria-expanded', open);
      button.setAttribute('aria-label', unread ? `${words}, ${texts.unread}${unread}` : words);
    }
  }

  function make(name, attributes) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  function icon() {
    const space = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(space, 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS(space, 'path');
    path.setAttribute('d', 'M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-8l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM8 9h8M8 13h5');
    svg.append(path);
    return svg;
  }

  // A sheet that is made by script passes a Content-Security-Policy that forbids styles in
  // the page, as the site may have one.
  function style(root) {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(kStyle);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(Object.assign(document.createElement('style'), { textContent: kStyle }));
    }
  }

  function remembered() {
    try { return sessionStorage.getItem(kOpen); } catch { return null; }
  }

  function remember(what) {
    try { sessionStorage.setItem(kOpen, what); } catch { /* then each page begins anew */ }
  }
})();
