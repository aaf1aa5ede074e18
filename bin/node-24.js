import module from 'node:module';
import { fileURLToPath } from 'node:url';

// JavaScript, because a Node that cannot read TypeScript has to be able to say so.
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  console.error(
    `Posthorn needs Node 24, and this is ${process.versions.node}: after "npm ci" use "npm start" and "npx posthorn" in the project, where npm brings Node 24.`,
  );
  process.exit(2);
}
// A start reads and compiles some thousand files; what V8 made of them is kept, by content, beside the packages.
module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/posthorn', import.meta.url)));
