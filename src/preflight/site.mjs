// The site as the app synthesises it: the template's machines, zones and records, and the settings that only the release has.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { about } from './about.mjs';
import { no, ok } from './lines.mjs';
import { Failure, run } from './outside.mjs';

/** The checkout. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const SYNTHESIS_MILLISECONDS = 600_000;

/** Synthesises the site into the folder, with the look-ups of the CDK. The app itself says why a zone cannot be looked up. */
export async function synthesise(folder, choice, quiet) {
  if (!quiet) {
    console.error('Synthesising the site');
  }
  const words = ['cdk', 'synth', '-q', '--ci', '--no-color', '-o', folder, ...choice];
  const { status, stdout, stderr } = await run('npx', words, SYNTHESIS_MILLISECONDS, { cwd: ROOT });
  if (status === 0) {
    about.site = readSite(folder);
    return ok(`stack ${about.site.stack}, ${about.site.names.join(', ')}`);
  }
  const said = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  // bin/app says it in its own words, a line for each key.
  const faults = said.filter((line) => /^[^ ]+: .+(, want |; )/.test(line));
  const reason = said.find((line) => line.startsWith('ERROR')) ?? said.filter(Boolean).pop() ?? `cdk synth ended with ${status}`;
  return faults.length > 0
    ? no(faults.join(' | '), 'type the right values into cdk.json')
    : no(`the site cannot be synthesised: ${reason}`, 'type: npx cdk synth');
}

/** Reads the stack that is in the folder; the pipeline's is in a folder of its own. */
function readSite(folder) {
  const { artifacts } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const [name, { properties }] = Object.entries(artifacts).find(([, one]) => one.type === 'aws:cloudformation:stack');
  const resources = JSON.parse(readFileSync(join(folder, properties.templateFile), 'utf8')).Resources;
  const settings = readSettings(folder, name);
  const ofType = (type) => Object.entries(resources).filter(([, resource]) => resource.Type === type);
  const records = ofType('AWS::Route53::RecordSet').map(([id, { Properties }]) => ({ id, ...Properties }));
  const domain = settings.TWINHOST_DOMAIN;
  return {
    stack: properties.stackName ?? name,
    bootstrap: { parameter: properties.bootstrapStackVersionSsmParameter, version: properties.requiresBootstrapStackVersion },
    settings,
    domain,
    names: [domain, `www.${domain}`, ...settings.TWINHOST_EXTRA_DOMAINS.split(' ').filter(Boolean)],
    records,
    zoneId: records[0]?.HostedZoneId,
    groups: ofType('AWS::AutoScaling::AutoScalingGroup').map(([, group]) => readGroup(group.Properties, resources)),
    hasDispatchRole: ofType('AWS::SSM::Association').every(([, one]) => one.Properties.AssociationDispatchAssumeRole),
  };
}

function readGroup(group, resources) {
  const template = resources[group.LaunchTemplate.LaunchTemplateId.Ref].Properties.LaunchTemplateData;
  const role = group.Tags.find((tag) => tag.Key === 'twinhost:role').Value;
  return {
    role,
    setting: role === 'witness' ? 'witnessInstanceType' : 'instanceType',
    size: Number(group.MinSize),
    type: template.InstanceType,
    // A zone's name, or where the template leaves it to CloudFormation, its place in the region's list.
    zones: group.VPCZoneIdentifier.map((subnet) => resources[subnet.Ref].Properties.AvailabilityZone).map((zone) =>
      typeof zone === 'string' ? zone : zone['Fn::Select'][0],
    ),
  };
}

/** settings.env of the release's archive, whose entries are stored without compression. */
function readSettings(folder, stack) {
  const { files } = JSON.parse(readFileSync(join(folder, `${stack}.assets.json`), 'utf8'));
  const archive = Object.values(files).find((file) => file.source.path.endsWith('.zip'));
  const lines = entry(readFileSync(join(folder, archive.source.path)), 'settings.env').split('\n');
  return Object.fromEntries(
    lines.filter(Boolean).map((line) => {
      const [, name, value] = /^export (\w+)='(.*)'$/.exec(line);
      return [name, value.replaceAll(`'\\''`, `'`)];
    }),
  );
}

// The local headers one after the other: APPNOTE.TXT of PKWARE, section 4.3.7
function entry(zip, wanted) {
  for (let at = 0; zip.readUInt32LE(at) === 0x04034b50; ) {
    const data = at + 30 + zip.readUInt16LE(at + 26) + zip.readUInt16LE(at + 28);
    const end = data + zip.readUInt32LE(at + 18);
    if (zip.toString('utf8', at + 30, at + 30 + zip.readUInt16LE(at + 26)) === wanted) {
      return zip.toString('utf8', data, end);
    }
    at = end;
  }
  throw new Failure(`the release's archive has no ${wanted}`);
}
