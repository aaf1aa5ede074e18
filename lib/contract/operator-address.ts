/** RFC 2142 and RFC 5321 §4.5.1: mail for these at the base domain reaches the operator, in the inbox of the first. */
export const operatorAddresses = (mailDomain: string): [string, ...string[]] => [
  `postmaster@${mailDomain}`,
  `abuse@${mailDomain}`,
];

/** Where the deployment mails itself. */
export const canaryAddress = (mailDomain: string): string => `canary@${mailDomain}`;
