// Somebody's site, at an origin of its own: /N is a page of it that loads the widget N times.

import { once } from 'node:events';
import { createServer } from 'node:http';

export class Site {
  /// `chat` gives the address of the page whose widget is on it.
  static async open(chat) {
    const site = new Site();
    site.server = createServer((request, response) => site.#answer(chat(), request, response));
    site.server.listen(0, '127.0.0.1');
    await once(site.server, 'listening');
    site.origin = `http://localhost:${site.server.address().port}`;
    site.page = `${site.origin}/`;
    return site;
  }

  #answer(chat, { url }, response) {
    const times = Number(url.slice(1)) || 0;
    const { origin } = new URL(chat);
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    // As strict as a site can be that wants the widget; as lax as one that attacks.
    response.setHeader('Content-Security-Policy', url === '/attack' ? "default-src * 'unsafe-inline'"
      : `default-src 'none'; script-src ${origin}; frame-src http://127.0.0.1:*; img-src data:`);
    response.end('<!doctype html><html lang="en"><meta charset="utf-8"><title>A site</title>'
      + '<meta name="viewport" content="width=device-width, initial-scale=1">'
      + `<link rel="icon" href="data:,"><main><h1>A site</h1><a href="/${times}">Next page</a></main>\n`
      + `<script src="${chat}widget.js" async></script>\n`.repeat(times));
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
