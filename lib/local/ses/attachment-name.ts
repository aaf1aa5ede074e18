import { badRequest } from './mailbox.ts';

/** Extensions SES sends no file with ("Amazon SES unsupported attachment types"). */
const refused = new Set(
  `ade adp app asp bas bat cer chm cmd com cpl crt csh der exe fxp gadget hlp hta inf ins isp its js jse ksh lib lnk
  mad maf mag mam maq mar mas mat mau mav maw mda mdb mde mdt mdw mdz msc msh msh1 msh2 mshxml msh1xml msh2xml msi msp
  mst ops pcd pif plg prf prg reg scf scr sct shb shs sys ps1 ps1xml ps2 ps2xml psc1 psc2 tmp url vb vbe vbs vps
  vsmacros vss vst vsw vxd ws wsc wsf wsh xnk`.split(/\s+/),
);

/** Throws BadRequestException for the name of a file that SES does not send. */
export function checkFileName(name: string): void {
  const extension = /\.([^.]*)$/.exec(name.trim())?.[1]?.toLowerCase();
  if (extension !== undefined && refused.has(extension)) throw badRequest(`Illegal filename '${name}'.`);
}

const partHeader = /^content-(?:disposition|type):[^\r\n]*(?:\r\n[ \t][^\r\n]*)*/gim;
const fileName = /\b(?:file)?name\*?(?:0\*?)?\s*=\s*(?:"([^"]*)"|([^\s;]+))/gi;

/** The same for every file a MIME message names. `text` has CRLF line ends. */
export function checkFileNames(text: string): void {
  for (const [header] of text.matchAll(partHeader)) {
    for (const [, quoted, token] of header.matchAll(fileName)) checkFileName(quoted ?? token!);
  }
}
