import { XMLParser } from 'fast-xml-parser';
import { AwsError } from '../aws-error.ts';
import type { ServiceResponse } from '../cloud.ts';
import { xmlElement } from '../xml-element.ts';
import type { XmlContent } from '../xml-element.ts';

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** A whole document in S3's namespace. */
export const xmlDocument = (root: string, content: XmlContent) =>
  declaration + xmlElement(root, content, namespace);

export const xmlResponse = (root: string, content: XmlContent, status = 200): ServiceResponse => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: xmlDocument(root, content),
});

/** An error document; S3 gives errors no namespace. */
export function xmlError(error: AwsError, requestId: string): string {
  const { code, message, fields } = error;
  const members = {
    Code: code,
    Message: message,
    ...(fields as Record<string, XmlContent>),
    RequestId: requestId,
  };
  return declaration + xmlElement('Error', members);
}

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  removeNSPrefix: true,
});

/** The members of a request document, or MalformedXML (400). Every element is a string or an object of elements. */
export function readXml(text: string, root: string): Record<string, unknown> {
  // A DTD has no place in a request, and its entities are the classic way to make a parser explode.
  if (!/<!DOCTYPE/i.test(text)) {
    try {
      const parsed = parser.parse(text, true) as Record<string, unknown>;
      const members = parsed[root];
      if (members === '') return {};
      if (typeof members === 'object' && members !== null) return members as Record<string, unknown>;
    } catch {
      // said below
    }
  }
  const expected = `The XML you provided was not well-formed or did not validate against our published schema (${root}).`;
  throw new AwsError('MalformedXML', expected);
}

/** The elements of that name: none, one or many, as a list. */
export function elements(parent: Record<string, unknown>, name: string): Record<string, unknown>[] {
  const value = parent[name];
  const list = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return list.filter((each) => typeof each === 'object' && each !== null) as Record<string, unknown>[];
}

export function text(parent: Record<string, unknown>, name: string): string | undefined {
  const value = parent[name];
  return typeof value === 'string' ? value : undefined;
}
