#!/usr/bin/env node
// Runs the binary that npm installed for this platform, with the same arguments, streams and exit code.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';

const name = `@emaconform/${process.platform}-${process.arch}`;
let binary;
try {
  binary = createRequire(import.meta.url).resolve(`${name}/bin/emaconform${process.platform === 'win32' ? '.exe' : ''}`);
} catch {
  console.error(
    `emaconform: the package ${name} is not installed: either there is no binary for this platform, or optional dependencies were left ` +
      'out (npm install --omit=optional).',
  );
  process.exit(2);
}
// A signal to the terminal's group reaches the binary, too, which then ends by itself: this process waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
const { status, signal, error } = spawnSync(binary, process.argv.slice(2), { stdio: 'inherit' });
if (error) {
  console.error(`emaconform: ${binary} cannot be run: ${error.message}`);
  process.exit(2);
}
process.exit(status ?? 128 + constants.signals[signal]);
