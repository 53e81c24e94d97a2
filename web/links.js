// Finds the links in a text. Knows nothing of the page.

// A link ends at a blank, a quotation mark, a control or a formatting character: what
// could make it look like another one never is a part of it.
const kLink = /\bhttps?:\/\/[^\s<>"“”„«»`\p{Cc}\p{Cf}]+/giu;

/// The text in pieces: strings, and {text, href} for what can be clicked. The texts of
/// all pieces, joined, are the text.
export function pieces(text) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(kLink)) {
    const link = withoutPunctuation(match[0]);
    const href = safe(link);
    if (!href) continue;
    if (match.index > end) found.push(text.slice(end, match.index));
    found.push({ text: link, href });
    end = match.index + link.length;
  }
  if (end < text.length) found.push(text.slice(end));
  return found;
}

// "(see https://example.org/a_(b))." means https://example.org/a_(b): the end of a
// sentence, and brackets that were opened before the link, are not a part of it.
function withoutPunctuation(link) {
  const surplus = { ')': count(link, ')') - count(link, '('), ']': count(link, ']') - count(link, '[') };
  let end = link.length;
  for (; end > 0; --end) {
    const last = link[end - 1];
    if (surplus[last] > 0) --surplus[last];
    else if (!".,;:!?'…*_~|".includes(last)) break;
  }
  return link.slice(0, end);
}

const count = (text, wanted) => text.split(wanted).length - 1;

// https://bank.example@evil.example is shown, but nobody is led there.
function safe(link) {
  try {
    const url = new URL(link);
    const web = url.protocol === 'https:' || url.protocol === 'http:';
    return web && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}
