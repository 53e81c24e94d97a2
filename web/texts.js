// The words of the page, in every language that it speaks. A text in braces is put in.
// The configuration may override single texts, and add languages, by these names.

const kTexts = {
  en: {
    title: 'Chat',
    you: 'You',
    operator: 'Operator',
    desk: 'Automatic answer',
    log: 'Conversation',
    message: 'Your message',
    placeholder: 'Write a message',
    send: 'Send',
    sound: 'Sound',
    end: 'End chat',
    endAsk: 'End this chat for good?',
    endYes: 'End it',
    endNo: 'Go on',
    waiting: 'sending…',
    taken: 'arrived',
    refused: 'not sent: {reason}',
    unsure: 'perhaps not arrived',
    tooLongReason: 'too long',
    tooMuchReason: 'too much at once',
    edit: 'Edit',
    connecting: 'Connecting…',
    lost: 'The connection is lost. Trying again…',
    back: 'Connected again.',
    denied: 'You were not let in. Trying again in a minute. {reason}',
    elsewhere: 'This chat goes on in another tab.',
    goOnHere: 'Go on here',
    over: 'This chat is over.',
    again: 'Begin a new chat',
    past: 'A new chat begins here. What is above is past.',
    away: 'Nobody is here at the moment.',
    writing: '{name} is writing…',
    newerOne: '1 new message',
    newer: '{count} new messages',
    tooLong: 'The text is too long by {count} bytes.',
    tooMuch: 'Too much is waiting to be sent. Wait for the connection.',
  },
  de: {
    title: 'Chat',
    you: 'Sie',
    operator: 'Mitarbeiter',
    desk: 'Automatische Antwort',
    log: 'Gespräch',
    message: 'Ihre Nachricht',
    placeholder: 'Nachricht schreiben',
    send: 'Senden',
    sound: 'Ton',
    end: 'Chat beenden',
    endAsk: 'Diesen Chat endgültig beenden?',
    endYes: 'Beenden',
    endNo: 'Weiter',
    waiting: 'wird gesendet…',
    taken: 'angekommen',
    refused: 'nicht gesendet: {reason}',
    unsure: 'vielleicht nicht angekommen',
    tooLongReason: 'zu lang',
    tooMuchReason: 'zu viel auf einmal',
    edit: 'Bearbeiten',
    connecting: 'Verbindung wird aufgebaut…',
    lost: 'Die Verbindung ist unterbrochen. Neuer Versuch…',
    back: 'Wieder verbunden.',
    denied: 'Sie wurden nicht eingelassen. Neuer Versuch in einer Minute. {reason}',
    elsewhere: 'Dieser Chat geht in einem anderen Tab weiter.',
    goOnHere: 'Hier weiter',
    over: 'Dieser Chat ist beendet.',
    again: 'Neuen Chat beginnen',
    past: 'Hier beginnt ein neuer Chat. Alles darüber ist vorbei.',
    away: 'Im Moment ist niemand da.',
    writing: '{name} schreibt…',
    newerOne: '1 neue Nachricht',
    newer: '{count} neue Nachrichten',
    tooLong: 'Der Text ist um {count} Bytes zu lang.',
    tooMuch: 'Zu viel wartet darauf, gesendet zu werden. Bitte auf die Verbindung warten.',
  },
};

/// The language of `wanted` that there are texts for (English if there is none), and a
/// function that gives a text by its name.
export function chooseTexts(wanted, overrides) {
  const all = own(overrides);
  const known = (tag) => Object.hasOwn(kTexts, tag) || Object.hasOwn(all, tag);
  const language = wanted.flatMap((tag) => [tag, tag.split('-')[0]]).find(known) ?? 'en';
  const texts = { ...kTexts.en, ...kTexts[language], ...own(all[language]) };
  return { language, say: (name, values) => fill(String(texts[name] ?? name), values) };
}

const own = (value) => (value && typeof value === 'object' ? value : {});

function fill(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? values[name] : whole)).trim();
}
