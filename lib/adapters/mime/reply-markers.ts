/**
 * How mail programs announce what they quote. Every test reads one line, or a few joined, of bounded length, and
 * none nests a repetition in another: hostile text costs linear time.
 */

/** An attribution may be wrapped over this many lines, blank ones included ("On … <\nmailto:…\n> wrote:"). */
const WRAP_LINES = 6;
/** Longer than any attribution: name and address are at most 320 characters, the rest is a date. */
const MAX_ATTRIBUTION = 400;

const WROTE =
  /(?<!\p{L})(?:wrote|writes|a écrit|écrit|escribió|ha escrit|ha scritto|scritto|escreveu|schrieb|geschrieben|schreef|geschreven|skrev|kirjoitti|napisał|pisze|napsal|írta|yazdı|написа[лв]а?|пише|пишет|写道|寫道|작성|のメッセージ)(?!\p{L})/iu;
/** Two numbers (a date, or a time), or an address. */
const WHEN_OR_WHO = /\d\D{1,20}\d|[^\s@<]@[^\s@>]{1,255}\./;
const STARTER = /^[\s>*-]{0,20}(?:on|le|el|il|em|op|am|den|dnia|w dniu|at|pe|在)(?!\p{L})/iu;
const SENTENCE_END = /[^\d][.!?]\s*$/;
const ENDS_ATTRIBUTION = /[:：]\s*$|(?<=\s)-{2,}\s*$/;
/** "2016-10-24 15:36 GMT+02:00 Name" and "2013/7/20 Name <address>": Gmail without a verb. */
const DATED = /^\d{4}[-/]\d{1,2}[-/]\d{1,2}\s/;
const ZONE_OR_ADDRESS = /\bGMT[+-]\d|<[^<>\s]{1,320}>/;

const RULE =
  /^[\s>*_]{0,20}-{2,40}[ \t]{0,3}(?:original message|forwarded message|reply message|mensaje original|mensagem original|messaggio originale|message d'origine|message original|ursprüngliche nachricht|weitergeleitete nachricht|oprindelig (?:besked|meddelelse)|opprinnelig melding|originalmeddelande|oorspronkelijk bericht|wiadomość oryginalna|исходное сообщение)[ \t]{0,3}-{0,40}[ \t]{0,3}\*?$/iu;
const FORWARD = /forwarded message|weitergeleitete nachricht/i;
const BEGIN_FORWARD = /^[\s>*]{0,20}begin forwarded message:?\s*$/i;

const FROM_HEADER =
  /^[ \t>*]{0,20}(?:from|von|de|da|van|från|fra|od|от|від|发件人|寄件者|差出人)\*?\s?[:：]\*?\s*\S/iu;
const OTHER_HEADER =
  /^[ \t>*]{0,20}(?:sent|date|to|cc|subject|reply-to|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|para|asunto|assunto|data|risposta|oggetto|inviato|a|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|wysłano|do|temat|отправлено|кому|тема|发送时间|收件人|主题)\*?\s?[:：]\*?\s*\S/iu;

/** How many lines from `lines[at]` on announce quoted mail ("On …, … wrote:"); 0 when they do not. */
export function attributionLines(lines: readonly string[], at: number): number {
  const first = lines[at] ?? '';
  // The first line has to carry the date or the author: prose that wraps ("On this day …") has neither.
  if (first.length > MAX_ATTRIBUTION || !WHEN_OR_WHO.test(first)) return 0;
  const wraps = !SENTENCE_END.test(first);
  let joined = '';
  for (let taken = 1; taken <= (wraps ? WRAP_LINES : 1) && at + taken <= lines.length; taken++) {
    const line = (lines[at + taken - 1] ?? '').trim();
    // A sentence of the writer's, and the attribution only begins here.
    if (taken > 1 && STARTER.test(line) && !STARTER.test(first)) return 0;
    joined = `${joined} ${line}`.trim();
    if (joined.length > MAX_ATTRIBUTION) return 0;
    if (isAttribution(joined)) return taken;
  }
  return 0;
}

function isAttribution(joined: string): boolean {
  if (DATED.test(joined) && ZONE_OR_ADDRESS.test(joined)) return true;
  return ENDS_ATTRIBUTION.test(joined) && WROTE.test(joined) && WHEN_OR_WHO.test(joined);
}

/** How many lines are a copied header block (Outlook, forwards), its rule included; 0 when they are none. */
export function headerBlockLines(lines: readonly string[], at: number): number {
  const ruled = isHistoryRule(lines[at] ?? '') ? 1 : 0;
  let next = at + ruled;
  while (ruled > 0 && next < lines.length && next < at + 4 && blank(lines[next])) next++;
  if (!FROM_HEADER.test((lines[next] ?? '').slice(0, MAX_ATTRIBUTION))) return ruled;
  let others = 0;
  let end = next + 1;
  for (; end < lines.length && end < next + 12 && !blank(lines[end]); end++) {
    if (OTHER_HEADER.test((lines[end] ?? '').slice(0, MAX_ATTRIBUTION))) others++;
  }
  return others >= 2 ? end - at : ruled;
}

/** "-------- Original Message --------" and its like in other languages. */
export function isHistoryRule(line: string): boolean {
  return line.length <= MAX_ATTRIBUTION && (RULE.test(line.trimEnd()) || BEGIN_FORWARD.test(line));
}

/** A rule that says the mail below is passed on, not answered. */
export function isForwardRule(line: string): boolean {
  return isHistoryRule(line) && FORWARD.test(line);
}

/** `> quoted`, `AB> quoted` with the initials of who is quoted, and `| quoted` unless it is a row of a table. */
export function isQuoted(line: string): boolean {
  if (/^[ \t]{0,3}[A-Z]{0,3}>/.test(line)) return true;
  const bare = line.trim();
  return bare === '|' || (bare.startsWith('| ') && !bare.endsWith('|'));
}

/** A line of punctuation between what was written and what follows. */
export function isDelimiter(line: string): boolean {
  return /^[\s\p{P}\p{S}\u1427]{1,200}$/u.test(line) && /[-_=+~#*—ᐧ]/u.test(line);
}

/** White space only, or nothing. */
export function blank(line: string | undefined): boolean {
  return line === undefined || line.trim() === '';
}
