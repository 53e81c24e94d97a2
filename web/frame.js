// The page in another site's corner: widget.js opened it in a frame, and said in the address
// which site it is on. Which sites may is for the daemon's frame-ancestors to say;
// the browser delivers what is told here to that one origin, and to nobody else.

export class Frame {
  #origin = originOf(location.hash);

  /// `shown(open, focus)` is told when the frame is opened and closed, and whether the visitor
  /// did it to write something.
  constructor(shown) {
    if (!this.inside) return;
    addEventListener('message', ({ source, origin, data }) => {
      if (source !== parent || origin !== this.#origin) return;
      if (data?.chatd === 'opened') shown(true, data.focus === true);
      if (data?.chatd === 'closed') shown(false, false);
    });
  }

  get inside() { return parent !== window && this.#origin !== null; }

  tell(message) {
    if (this.inside) parent.postMessage(message, this.#origin);
  }
}

function originOf(hash) {
  const named = new URLSearchParams(hash.slice(1)).get('site');
  try {
    return new URL(named).origin === named ? named : null;
  } catch {
    return null;
  }
}
