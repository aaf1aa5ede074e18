#!/usr/bin/env node
// JavaScript, because a Node that cannot read TypeScript has to be able to say so.
const major = Number(process.versions.node.split('.')[0]);
if (major >= 24) {
  await import('./cli.ts');
} else {
  console.error(
    `Posthorn needs Node 24, and this is ${process.versions.node}: run it as "npx posthorn" in the project, where npm brings Node 24.`,
  );
  process.exitCode = 2;
}
