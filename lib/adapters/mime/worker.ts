import { readMail } from './read-mail.ts';
import { serveParsing } from './serve-parsing.ts';

// A library that can be talked into writing to the prototype of all objects must not reach the next mail with it.
Object.preventExtensions(Object.prototype);

serveParsing(async ({ path, directory, limits }, report) => {
  const { mail, derive } = await readMail(path, directory, limits);
  report({ stage: 'read', mail });
  report({ stage: 'derived', fields: derive() });
});
