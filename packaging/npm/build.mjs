// Makes the npm packages of a release: one for each platform, which only holds the binary, and `emaconform`, which depends on
// them and runs the one that npm chose. No package has an install script, and none downloads anything.
//
//   node packaging/npm/build.mjs VERSION OUT PLATFORM=BINARY…     e.g. linux-x64=dist/…/emaconform
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [version, out, ...binaries] = process.argv.slice(2);
const known = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];
const pairs = binaries.map((argument) => argument.split('='));
const unknown = pairs.find(([platform, file]) => !known.includes(platform) || !file);
if (!/^\d+\.\d+\.\d+/.test(version ?? '') || !out || pairs.length === 0 || unknown) {
  console.error(`usage: build.mjs VERSION OUT PLATFORM=BINARY…; platforms are ${known.join(', ')}`);
  process.exit(2);
}

const common = {
  version,
  license: 'Apache-2.0',
  repository: { type: 'git', url: 'git+https://github.com/emaconform/emaconform.git' },
};
const write = (folder, description) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...description, ...common }, null, 2) + '\n');
};

for (const [platform, binary] of pairs) {
  const [os, cpu] = platform.split('-');
  const folder = join(out, platform);
  const file = `emaconform${os === 'win32' ? '.exe' : ''}`;
  write(folder, { name: `@emaconform/${platform}`, description: `emaconform for ${platform}`, os: [os], cpu: [cpu], files: ['bin'] });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  copyFileSync(binary, join(folder, 'bin', file));
  chmodSync(join(folder, 'bin', file), 0o755);
}
const main = join(out, 'emaconform');
write(main, {
  name: 'emaconform',
  description: 'Conformance suite and mock identity provider for MCP Enterprise-Managed Authorization',
  type: 'module',
  bin: { emaconform: 'emaconform.mjs' },
  files: ['emaconform.mjs', 'README.md'],
  engines: { node: '>=18' },
  optionalDependencies: Object.fromEntries(pairs.map(([platform]) => [`@emaconform/${platform}`, version])),
});
copyFileSync(join(here, 'emaconform.mjs'), join(main, 'emaconform.mjs'));
copyFileSync(join(here, '..', '..', 'README.md'), join(main, 'README.md'));
