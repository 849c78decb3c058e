// Runs the checks of bin/preflight and prints what they say. One that breaks is a no.
// The arguments: yes for JSON, or nothing; then those of `cdk synth` that choose the settings.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, credentials, diskKey, quota, region, roles, stack, zones } from './account.mjs';
import { application, imageOf } from './images.mjs';
import { broken } from './lines.mjs';
import { caa, delegation, hostedZone, records } from './names.mjs';
import { synthesise } from './site.mjs';

/** Every other check stands on these: where one says no, there is nothing to ask. */
const FIRST = [
  ['credentials', credentials],
  ['settings', () => synthesise(assembly, choice, asJson)],
];
const CHECKS = [
  ['region', region],
  ['bootstrap', bootstrap],
  ['stack', stack],
  ['zones', zones],
  ['quota', quota],
  ['hosted zone', hostedZone],
  ['delegation', delegation],
  ['records', records],
  ['CAA', caa],
  ['roles', roles],
  ['disk key', diskKey],
  ['edge image', () => imageOf('edge')],
  ['certbot image', () => imageOf('certbot')],
  ['appImage', application],
];

const [asJson, ...choice] = process.argv.slice(2);
const assembly = mkdtempSync(join(tmpdir(), 'twinhost-preflight-'));
const findings = [];

/** The lines of a check, one or more, or none where another check has said it. */
async function check([name, ask]) {
  let lines;
  try {
    lines = [await ask()].flat();
  } catch (failure) {
    lines = [broken(failure)];
  }
  return lines.map((line) => ({ check: name, ...line }));
}

function report(lines) {
  findings.push(...lines);
  for (const { check: name, verdict, found, next } of asJson ? [] : lines) {
    console.log(`${verdict.padEnd(8)}${name.padEnd(14)}${found}${next && `\n${' '.repeat(22)}${next}`}`);
  }
}

function refused() {
  return findings.filter((line) => line.verdict === 'no').length;
}

async function runAll() {
  for (const first of FIRST) {
    report(await check(first));
    if (refused() > 0) {
      return [2, 'nothing else could be checked'];
    }
  }
  // All at once, printed in their order.
  for (const lines of CHECKS.map(check)) {
    report(await lines);
  }
  return refused() > 0 ? [1, `${refused()} in the way: a deploy would fail, or the site not answer`] : [0, 'nothing is in the way of a deploy'];
}

try {
  const [status, summary] = await runAll();
  console.log(asJson ? JSON.stringify(findings, null, 2) : `\n${summary}`);
  process.exitCode = status;
} finally {
  rmSync(assembly, { recursive: true, force: true });
}
