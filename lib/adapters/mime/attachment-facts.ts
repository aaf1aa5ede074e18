import type { ParsedAttachment } from '../../core/mail.ts';
import { cleanLine } from './clean-text.ts';

/** What file systems take. */
const MAX_FILENAME = 255;
/** RFC 6838 §4.2: restricted-name on both sides of the slash. */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** What a part says of itself, as the parser found it. */
export interface PartFacts {
  filename?: string | undefined;
  contentType?: string | undefined;
  /** The word of the Content-Disposition header. */
  disposition?: string | undefined;
  contentId?: string | undefined;
}

/** The part of a `ParsedAttachment` that the mail states: nothing of it is taken as it is. */
export function attachmentFacts(part: PartFacts): Omit<ParsedAttachment, 'size' | 'path'> {
  const filename = safeFilename(part.filename ?? '');
  const contentId = cleanLine((part.contentId ?? '').replace(/[<>]/g, ''), 996);
  return {
    ...(filename === undefined ? {} : { filename }),
    content_type: mediaType(part.contentType ?? ''),
    content_disposition: disposition(part.disposition ?? '', contentId),
    ...(contentId === '' ? {} : { content_id: contentId }),
  };
}

/**
 * The visible name without directories (`../../etc/passwd`, `C:\boot.ini`), control characters and the bidirectional
 * controls that show `gpj.exe` as `exe.jpg`.
 */
export function safeFilename(name: string): string | undefined {
  const line = cleanLine(name.slice(-4 * MAX_FILENAME), 4 * MAX_FILENAME);
  const base = line.slice(Math.max(line.lastIndexOf('/'), line.lastIndexOf('\\')) + 1);
  const visible = base.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').trim();
  if (visible === '' || visible === '.' || visible === '..') return undefined;
  if (visible.length <= MAX_FILENAME) return visible.toWellFormed();
  const dot = visible.lastIndexOf('.');
  const extension = visible.length - dot <= 20 ? visible.slice(dot) : '';
  return (visible.slice(0, MAX_FILENAME - extension.length) + extension).toWellFormed();
}

function mediaType(type: string): string {
  const lower = type.slice(0, 300).toLowerCase().trim();
  return MEDIA_TYPE.test(lower) ? lower : 'application/octet-stream';
}

/** RFC 2183 §2.8: an unknown disposition is an attachment. A part with an id is meant to be shown in place. */
function disposition(word: string, contentId: string): 'inline' | 'attachment' {
  const lower = word.toLowerCase().trim();
  if (lower === '') return contentId === '' ? 'attachment' : 'inline';
  return lower === 'inline' ? 'inline' : 'attachment';
}
