// The checks of bin/preflight, which has the words for people. A check returns its lines; one that breaks is a no.
// The arguments: yes for --json, or nothing; then those of `cdk synth` that choose the settings.
import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { architectures, aws, dns, Failure, field, parseImage, run } from './outside.mjs';
import { readSite } from './site.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const REGION = process.env.AWS_REGION;
const SYNTHESIS_MILLISECONDS = 600_000;
const AUTHORITY = 'letsencrypt.org'; // https://letsencrypt.org/docs/caa/
// Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances:
// https://docs.aws.amazon.com/cli/latest/reference/service-quotas/get-service-quota.html#examples
const QUOTA = ['--service-code', 'ec2', '--quota-code', 'L-1216C47A'];
const STANDARD = /^([acdhmrtz]|i[ms]?)\d/;
const LATER = 'set that right, then type: bin/preflight';

const ok = (found) => ({ verdict: 'ok', found, next: '' });
const warning = (found, next) => ({ verdict: 'warning', found, next });
const no = (found, next) => ({ verdict: 'no', found, next });

const unquoted = (name) => name.toLowerCase().replace(/\.$/, '');
const owns = (zone, name) => `.${name}`.endsWith(`.${zone}`);
const list = (values) => [...values].sort().join(', ');

/** The one field of every element, which has to be a text in each. */
function texts(elements, key, call) {
  return elements.map((element) => field(element, key, 'string', call));
}

/** What to do about a failure, by AWS's name for it. */
function broken({ code, message }) {
  if (/^(AccessDenied|AccessDeniedException|UnauthorizedOperation|AuthorizationError)$/.test(code)) {
    return no(`could not be checked: ${message}`, 'these credentials lack that right: add it (docs/failures.md has the list), or type bin/preflight as somebody who has it');
  }
  return no(`could not be checked: ${message}`, LATER);
}

async function credentials() {
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(REGION)) {
    return no(`AWS_REGION: is no region, got "${REGION}"`, 'type: export AWS_REGION=eu-central-1, or the region of the site');
  }
  try {
    const arn = await aws(['sts', 'get-caller-identity'], 'Arn', 'string');
    [, partition, , , account] = arn.split(':');
    return ok(arn);
  } catch ({ message }) {
    const [, next] = [
      [/expired|lapsed/i, 'they have lapsed; type: aws sso login, or fetch new ones where you had these from'],
      [/Could not connect|timeout|did not end/i, `is ${REGION} misspelt, or is there no way out from here? type: aws sts get-caller-identity`],
      [/InvalidClientTokenId|SignatureDoesNotMatch|AuthFailure|RegionDisabled/, `the keys are wrong or deleted, or the account has not enabled ${REGION}; type: aws account enable-region --region-name ${REGION}`],
      [/./, 'type: aws configure (or: aws sso login), and export AWS_PROFILE=NAME where they have a profile of their own'],
    ].find(([words]) => words.test(message));
    return no(message, next);
  }
}

/** Synthesises the site, with the look-ups of the CDK. A zone that it could not look up is explained by the check of zones. */
async function settings() {
  if (!asJson) {
    console.error('Synthesising the site');
  }
  const ended = await run('npx', ['cdk', 'synth', '-q', '--ci', '--no-color', '-o', assembly, ...choice], SYNTHESIS_MILLISECONDS, { cwd: ROOT });
  const said = (ended.stdout + ended.stderr).split('\n').map((line) => line.trim());
  if (ended.status !== 0 && !existsSync(join(assembly, 'manifest.json'))) {
    const faults = said.filter((line) => /^[^ ]+: .+(, want |; )/.test(line));
    return faults.length > 0
      ? no(faults.join(' | '), 'type the right values into cdk.json')
      : no(`the site cannot be synthesised: ${said.filter(Boolean).pop()}`, 'type: npx cdk synth');
  }
  site = readSite(assembly);
  if (ended.status !== 0 && site.zoneId !== 'DUMMY') {
    return no(`the site cannot be synthesised: ${said.find((line) => line.startsWith('ERROR')) ?? said.filter(Boolean).pop()}`, 'type: npx cdk synth');
  }
  return ok(`stack ${site.stack}, ${site.names.join(', ')}`);
}

async function region() {
  const call = ['ec2', 'describe-regions', '--all-regions'];
  const regions = await aws(call, 'Regions', 'array');
  const known = regions.find((one) => one?.RegionName === REGION);
  if (!known) {
    return no(`the account knows no region ${REGION}`, 'type: export AWS_REGION=eu-central-1, or the region of the site');
  }
  return field(known, 'OptInStatus', 'string', 'aws ec2 describe-regions') === 'not-opted-in'
    ? no(`the account has not enabled ${REGION}`, `type: aws account enable-region --region-name ${REGION}`)
    : ok(REGION);
}

async function bootstrap() {
  const { parameter, version } = site.bootstrap;
  const next = `type: npx cdk bootstrap aws://${account}/${REGION}`;
  try {
    const found = Number(await aws(['ssm', 'get-parameter', '--name', parameter], 'Parameter.Value', 'string'));
    return found >= version ? ok(`version ${found}, ${version} or later wanted`) : no(`version ${found}, ${version} or later wanted`, next);
  } catch (failure) {
    if (failure.code === 'ParameterNotFound') {
      return no(`account ${account} was never bootstrapped in ${REGION}`, next);
    }
    throw failure;
  }
}

/** The status of the stack, or nothing where it is not there. */
async function statusOfStack() {
  try {
    const stacks = await aws(['cloudformation', 'describe-stacks', '--stack-name', site.stack], 'Stacks', 'array');
    return field(stacks[0], 'StackStatus', 'string', 'aws cloudformation describe-stacks');
  } catch (failure) {
    if (failure.code === 'ValidationError' && failure.message.includes('does not exist')) {
      return undefined;
    }
    throw failure;
  }
}

async function stack() {
  const status = await deployed();
  // CDK deletes what a failed first deploy has left, and takes a review that nobody has ended for nothing.
  if (status === undefined || status === 'REVIEW_IN_PROGRESS' || status === 'ROLLBACK_COMPLETE') {
    return ok(`${site.stack} is not deployed yet${status ? ` (${status})` : ''}`);
  }
  if (status.endsWith('_IN_PROGRESS')) {
    return no(`${site.stack} is being changed: ${status}`, `wait until it says COMPLETE: aws cloudformation describe-stacks --stack-name ${site.stack} --query 'Stacks[0].StackStatus'`);
  }
  if (status === 'UPDATE_ROLLBACK_FAILED') {
    return no(`${site.stack} could not go back: ${status}`, `type: npx cdk rollback ${site.stack}`);
  }
  return status.endsWith('_COMPLETE')
    ? ok(`${site.stack} is deployed: ${status}`)
    : no(`${site.stack} takes no deploy: ${status}`, `look at its reason: aws cloudformation describe-stack-events --stack-name ${site.stack}; what could not be deleted, by hand, and then: npx cdk destroy ${site.stack}`);
}

/** The zones of the region as CloudFormation counts them: those with a default subnet, and where none has, all. */
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-getavailabilityzones.html
async function countedZones() {
  const subnets = await aws(['ec2', 'describe-subnets', '--filters', 'Name=default-for-az,Values=true'], 'Subnets', 'array');
  const found = new Set(texts(subnets, 'AvailabilityZone', 'aws ec2 describe-subnets'));
  if (found.size > 0) {
    return [...found].sort();
  }
  const filters = ['--filters', 'Name=zone-type,Values=availability-zone', 'Name=state,Values=available'];
  const zones = await aws(['ec2', 'describe-availability-zones', ...filters], 'AvailabilityZones', 'array');
  return texts(zones, 'ZoneName', 'aws ec2 describe-availability-zones').sort();
}

async function zones() {
  const places = site.groups.flatMap((group) => group.zones);
  const counted = places.some((place) => typeof place === 'number') ? await countedZones() : [];
  const wanted = Math.max(...places.filter((place) => typeof place === 'number').map((place) => place + 1), 0);
  if (counted.length < wanted) {
    return no(`${REGION} has ${counted.length} zones here (${list(counted)}), and ${wanted} are wanted: CloudFormation counts those with a default subnet`, wanted > 2 && counted.length === 2
      ? 'write "zones": 2 into cdk.json, whose weaker promise is in the README, or choose another region: export AWS_REGION=eu-central-1'
      : `type: aws ec2 create-default-subnet --availability-zone ZONE, with each zone of: aws ec2 describe-availability-zones --query 'AvailabilityZones[].ZoneName'`);
  }
  const types = list(new Set(site.groups.map((group) => group.type))).replaceAll(' ', '');
  const call = ['ec2', 'describe-instance-type-offerings', '--location-type', 'availability-zone', '--filters', `Name=instance-type,Values=${types}`];
  const offered = await aws(call, 'InstanceTypeOfferings', 'array');
  const lines = [];
  for (const { type, setting, zones: ofGroup } of site.groups) {
    const names = ofGroup.map((place) => (typeof place === 'number' ? counted[place] : place));
    const there = offered.filter((one) => one.InstanceType === type).map((one) => one.Location);
    const missing = names.filter((name) => !there.includes(name));
    if (missing.length > 0) {
      lines.push(no(`${type} is not offered in ${list(missing)}, where the template puts it (but in ${list(there) || 'no zone of this region'})`, `write another "${setting}" into cdk.json, one of: aws ec2 describe-instance-type-offerings --location-type availability-zone --filters Name=location,Values=${missing[0]} --query 'InstanceTypeOfferings[].InstanceType'`));
    } else {
      lines.push(ok(`${type} in ${list(names)}`));
    }
  }
  return lines;
}

/** vCPUs and architecture of each type that the site uses, by the type. */
async function describeTypes() {
  const wanted = [...new Set(site.groups.map((group) => group.type))];
  const call = 'aws ec2 describe-instance-types';
  const types = await aws(['ec2', 'describe-instance-types', '--instance-types', ...wanted], 'InstanceTypes', 'array');
  return Object.fromEntries(
    wanted.map((name) => {
      const type = types.find((one) => one?.InstanceType === name);
      const arm = field(type, 'ProcessorInfo.SupportedArchitectures', 'array', call).includes('arm64');
      return [name, { vcpus: field(type, 'VCpuInfo.DefaultVCpus', 'number', call), architecture: arm ? 'arm64' : 'amd64' }];
    }),
  );
}

async function allowedVcpus() {
  try {
    return await aws(['service-quotas', 'get-service-quota', ...QUOTA], 'Quota.Value', 'number');
  } catch (failure) {
    // No value has been applied to this account.
    if (failure.code !== 'NoSuchResourceException') {
      throw failure;
    }
    return aws(['service-quotas', 'get-aws-default-service-quota', ...QUOTA], 'Quota.Value', 'number');
  }
}

async function quota() {
  const other = site.groups.find((group) => !STANDARD.test(group.type));
  if (other) {
    return warning(`${other.type} is not counted among the standard instances, whose quota is looked at here`, 'look at the quota of its family: aws service-quotas list-service-quotas --service-code ec2');
  }
  const types = await typesOfSite();
  const hosts = site.groups.find((group) => group.role === 'host');
  const witness = site.groups.find((group) => group.role === 'witness');
  const host = types[hosts.type].vcpus;
  const third = witness ? types[witness.type].vcpus : 0;
  // An update launches a machine while the one before still runs for four minutes.
  const wanted = Math.max(2 * hosts.size * host + third, (hosts.size + 1) * host + 2 * third);
  const filters = ['--filters', 'Name=instance-state-name,Values=pending,running'];
  const reservations = await aws(['ec2', 'describe-instances', ...filters], 'Reservations', 'array');
  const call = 'aws ec2 describe-instances';
  const taken = reservations
    .flatMap((reservation) => field(reservation, 'Instances', 'array', call))
    .filter((machine) => STANDARD.test(field(machine, 'InstanceType', 'string', call)) && machine.InstanceLifecycle === undefined)
    .filter((machine) => !machine.Tags?.some((tag) => tag.Key === 'twinhost:stack' && tag.Value === site.stack))
    .map((machine) => field(machine, 'CpuOptions.CoreCount', 'number', call) * field(machine, 'CpuOptions.ThreadsPerCore', 'number', call))
    .reduce((sum, vcpus) => sum + vcpus, 0);
  const allowed = await allowedVcpus();
  const found = `${allowed} vCPUs of standard instances, ${taken} of them taken by other machines; the site needs ${wanted} while its machines are replaced`;
  return allowed - taken >= wanted
    ? ok(found)
    : no(found, `type: aws service-quotas request-service-quota-increase ${QUOTA.join(' ')} --desired-value ${wanted + taken}`);
}

/** The hosted zone of the records, with its name without the last dot; nothing where there is none to look at. */
async function zoneOfRecords() {
  const id = site.zoneId;
  if (id === undefined) {
    return { lines: [ok('the stack makes no records (dns: none)')] };
  }
  if (id === 'DUMMY') {
    return { lines: [await missingZone()] };
  }
  const call = 'aws route53 get-hosted-zone';
  let answer;
  try {
    answer = await aws(['route53', 'get-hosted-zone', '--id', id], '', 'object');
  } catch (failure) {
    if (failure.code === 'NoSuchHostedZone' || failure.code === 'InvalidInput') {
      return { lines: [no(`hostedZoneId: is no zone of this account, got ${id}`, `type: aws route53 list-hosted-zones-by-name --dns-name ${site.domain}, and write the id of its zone into cdk.json`)] };
    }
    throw failure;
  }
  const name = unquoted(field(answer, 'HostedZone.Name', 'string', call));
  if (!owns(name, site.domain)) {
    return { lines: [no(`hostedZoneId: is the zone of ${name}, which does not own ${site.domain}, got ${id}`, `type: aws route53 list-hosted-zones-by-name --dns-name ${site.domain}, and write the id of its zone into cdk.json`)] };
  }
  if (field(answer, 'HostedZone.Config.PrivateZone', 'boolean', call)) {
    return { lines: [no(`hostedZoneId: is a private zone, which only VPCs see, got ${id}`, `type: aws route53 list-hosted-zones-by-name --dns-name ${site.domain}, and write the id of the public zone into cdk.json`)] };
  }
  const servers = field(answer, 'DelegationSet.NameServers', 'array', call).map(unquoted);
  return { id, name, servers, lines: [ok(`${name} (${id}), public`)] };
}

/** Why no zone was found by the domain's name. */
async function missingZone() {
  const call = 'aws route53 list-hosted-zones';
  const zones = (await aws(['route53', 'list-hosted-zones'], 'HostedZones', 'array')).map((zone) => ({
    id: field(zone, 'Id', 'string', call).replace('/hostedzone/', ''),
    name: unquoted(field(zone, 'Name', 'string', call)),
    hidden: field(zone, 'Config.PrivateZone', 'boolean', call),
  }));
  const { domain } = site;
  const named = zones.filter((zone) => zone.name === domain && !zone.hidden);
  if (named.length > 1) {
    return no(`hostedZoneId: is missing, and ${named.length} public zones are called ${domain}: ${list(named.map((zone) => zone.id))}`, `write the id into cdk.json whose name servers are those at the registrar: dig +short NS ${domain}; aws route53 get-hosted-zone --id ID --query DelegationSet.NameServers`);
  }
  const above = zones.filter((zone) => owns(zone.name, domain) && !zone.hidden).sort((a, b) => b.name.length - a.name.length)[0];
  if (above) {
    return no(`hostedZoneId: is missing, and no zone is called ${domain}, only the one above it: ${above.name}`, `write "hostedZoneId": "${above.id}" into cdk.json`);
  }
  const hidden = zones.some((zone) => zone.name === domain) ? ', only a private one, which only VPCs see' : '';
  return no(`hostedZoneId: is missing, and no public zone of this account is called ${domain}${hidden}`, `type: aws route53 create-hosted-zone --name ${domain} --caller-reference "$(date +%s)", enter its name servers at the registrar, and write its id into cdk.json`);
}

async function hostedZone() {
  return (await zone()).lines;
}

async function delegation() {
  const { id, name, servers } = await zone();
  if (!id) {
    return [];
  }
  const next = `enter these name servers at the registrar of ${name}, or as its NS record in the zone above: ${list(servers)}`;
  let asked;
  try {
    asked = (await dns(name, 'NS')).map(unquoted);
  } catch (failure) {
    if (failure.code === 'ESERVFAIL') {
      return no(`the world gets no answer for ${name}: SERVFAIL`, `${next}; and look whether a DS record stands there that the zone does not answer to (DNSSEC)`);
    }
    throw failure;
  }
  if (asked.length === 0) {
    return no(`the world does not find ${name}: nobody has delegated it`, next);
  }
  const strangers = asked.filter((server) => !servers.includes(server));
  return strangers.length > 0
    ? no(`the world asks ${list(strangers)} for ${name}, which ${strangers.length > 1 ? 'are no servers' : 'is no server'} of the zone ${id}`, next)
    : ok(`the world asks the servers of the zone: ${list(asked)}`);
}

/** The records of a name, all of them. */
async function recordsOf(zoneId, name) {
  const call = ['route53', 'list-resource-record-sets', '--hosted-zone-id', zoneId, '--start-record-name', name, '--max-items', '300'];
  const found = await aws(call, 'ResourceRecordSets', 'array');
  const named = found.filter((record) => unquoted(field(record, 'Name', 'string', 'aws route53 list-resource-record-sets')) === name);
  if (named.length === 300) {
    throw new Failure(`${name} has 300 records or more, of which not all were read`);
  }
  named.forEach((record) => field(record, 'Type', 'string', 'aws route53 list-resource-record-sets'));
  return named;
}

/** The ids in the template of the records that the stack has made already, with the names that they have. */
async function ownRecords() {
  const status = await deployed();
  if (status === undefined || status === 'REVIEW_IN_PROGRESS') {
    return new Set();
  }
  const call = 'aws cloudformation list-stack-resources';
  const resources = await aws(['cloudformation', 'list-stack-resources', '--stack-name', site.stack], 'StackResourceSummaries', 'array');
  return new Set(
    resources
      .filter((one) => one.ResourceType === 'AWS::Route53::RecordSet' && one.PhysicalResourceId && one.ResourceStatus !== 'DELETE_COMPLETE')
      .map((one) => `${field(one, 'LogicalResourceId', 'string', call)} ${unquoted(one.PhysicalResourceId)}`),
  );
}

const DELETE = 'delete it in the zone';
const OR_NONE = 'or begin with "dns": "none" in cdk.json';

/** What stands in the way of one of the template's records: the answers of Route 53, before it gives them. */
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-weighted.html
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html, CNAME
function collisions(wanted, name, there, own) {
  const apex = there.some((record) => record.Type === 'SOA');
  return there.flatMap((record) => {
    const what = `the ${record.Type} record of ${name}${record.SetIdentifier === undefined ? '' : ` (${record.SetIdentifier})`}`;
    if (record.Type === 'NS' || record.Type === 'SOA') {
      return apex ? [] : [no(`${what} delegates it to another zone, and what this one says of it reaches nobody`, `write "hostedZoneId" of the zone of ${name} into cdk.json, or ${DELETE}`)];
    }
    if (record.Type !== wanted.Type) {
      if (wanted.Type === 'CNAME' || (record.Type === 'CNAME' && wanted.Type !== 'CAA')) {
        return [no(`${what} excludes the ${wanted.Type} of the site: a CNAME stands alone`, `${DELETE}, ${OR_NONE}`)];
      }
      return record.Type === 'AAAA' && wanted.AliasTarget
        ? [no(`${what} points elsewhere (the balancer has IPv4 alone), and while it stands no certificate is ordered`, DELETE)]
        : [];
    }
    if (own) {
      return record.SetIdentifier === wanted.SetIdentifier ? [] : beside(what, record, wanted);
    }
    if (wanted.SetIdentifier === undefined) {
      return [no(`${what} is there already, and CloudFormation takes over nothing that exists`, `${DELETE}, or leave "caa" away in cdk.json`)];
    }
    return record.SetIdentifier === wanted.SetIdentifier
      ? [no(`${what} has the set identifier of the site and is not this stack's`, `if it is not another site's, ${DELETE}`)]
      : beside(what, record, wanted);
  });
}

/** Whether a weighted record goes with one of its name and type. */
function beside(what, record, wanted) {
  if (record.SetIdentifier === undefined) {
    return [no(`${what} has no weight, and Route 53 takes no weighted one beside it`, `${DELETE}, or give it a weight and a set identifier of its own (aws route53 change-resource-record-sets, DELETE and CREATE in one batch), ${OR_NONE}`)];
  }
  if (record.Weight === undefined) {
    return [no(`${what} has another routing policy, and Route 53 takes no weighted one beside it`, `${DELETE}, ${OR_NONE}`)];
  }
  if (wanted.TTL !== undefined && Number(wanted.TTL) !== record.TTL) {
    return [no(`${what} has a TTL of ${record.TTL}, and all weighted ones of a name have the same`, `change its TTL to ${wanted.TTL}`)];
  }
  return record.Weight > 0
    ? [warning(`${what} has a weight of ${record.Weight} and gets its share of the clients`, 'no certificate is ordered until its weight is 0')]
    : [];
}

async function records() {
  const { id } = await zone();
  if (!id) {
    return [];
  }
  const own = await ownRecords();
  const lines = await Promise.all(
    site.records.map(async (wanted) => {
      const name = unquoted(wanted.Name);
      return collisions(wanted, name, await recordsOf(id, name), own.has(`${wanted.id} ${name}`));
    }),
  );
  const found = new Map(lines.flat().map((line) => [line.found, line]));
  return found.size > 0 ? [...found.values()] : ok(`nothing is in the way of ${list(site.records.map((record) => `${unquoted(record.Name)} ${record.Type}`))}`);
}

/** The CAA records at exactly that name, as tag, value and whether they are critical; from the zone itself where it owns the name. */
async function caaAt(name) {
  const { id, name: zoneName } = await zone();
  if (!id || !owns(zoneName, name)) {
    return (await dns(name, 'CAA')).map(({ critical, ...property }) => {
      const [[tag, value]] = Object.entries(property);
      return { critical: critical > 0, tag, value };
    });
  }
  const ours = site.records.filter((record) => record.Type === 'CAA' && unquoted(record.Name) === name);
  const values = [...(await recordsOf(id, name)), ...ours]
    .filter((record) => record.Type === 'CAA')
    .flatMap((record) => field(record, 'ResourceRecords', 'array', 'aws route53 list-resource-record-sets'))
    .map((record) => record.Value ?? record);
  return values.map((text) => {
    const [, flags, tag, value] = /^(\d+) (\w+) "(.*)"$/.exec(text) ?? [];
    if (!tag) {
      throw new Failure(`the CAA record of ${name} cannot be read: ${text}`);
    }
    return { critical: Number(flags) >= 128, tag: tag.toLowerCase(), value };
  });
}

// https://www.rfc-editor.org/rfc/rfc8659: the first name upwards that has any counts; issuewild is for wildcards alone.
// https://www.rfc-editor.org/rfc/rfc8657: a record can bind an account, and the ways of validation.
async function restriction(name) {
  for (let at = name; at !== ''; at = at.split('.').slice(1).join('.')) {
    const found = await caaAt(at);
    if (found.length > 0) {
      return { at, found };
    }
  }
  return undefined;
}

const KNOWN_TAGS = ['issue', 'issuewild', 'iodef', 'contactemail', 'contactphone', 'issuemail', 'issuevmc'];

function allowsAuthority(found) {
  const issue = found.filter(({ tag }) => tag === 'issue').map(({ value }) => value.split(';').map((part) => part.trim().toLowerCase()));
  return (
    issue.length === 0 ||
    issue.some(([issuer, ...parameters]) => {
      const methods = parameters.find((one) => one.startsWith('validationmethods='))?.slice('validationmethods='.length).split(',');
      return issuer === AUTHORITY && !parameters.some((one) => one.startsWith('accounturi=')) && (!methods || methods.includes('http-01'));
    })
  );
}

async function caa() {
  const own = /^(production|staging)$/.test(site.settings.TWINHOST_ACME_NAME);
  const places = new Map();
  for (const name of site.names) {
    const found = await restriction(name);
    if (found) {
      places.set(found.at, { found: found.found, names: [...(places.get(found.at)?.names ?? []), name] });
    }
  }
  const lines = [...places].flatMap(([at, { found, names }]) => {
    const said = list(new Set(found.map(({ tag, value }) => `${tag} "${value}"`)));
    if (!own) {
      return [warning(`${at} has CAA records (${said}); whether they allow ${site.settings.TWINHOST_ACME_DIRECTORY} cannot be judged here`, 'ask that authority for its name in CAA records, and compare')];
    }
    const unknown = found.find(({ critical, tag }) => critical && !KNOWN_TAGS.includes(tag));
    if (unknown) {
      return [no(`${at} has a critical CAA record that no authority knows (${unknown.tag}): no certificate for ${names.join(', ')}`, `delete it at ${at}`)];
    }
    return allowsAuthority(found)
      ? []
      : [no(`the CAA records of ${at} (${said}) forbid ${AUTHORITY}: no certificate for ${names.join(', ')}`, `add to the CAA records of ${at}: 0 issue "${AUTHORITY}"`)];
  });
  return lines.length > 0 ? lines : ok(own ? `no CAA record forbids ${AUTHORITY} for ${site.names.join(', ')}` : `no CAA record binds ${site.names.join(', ')}`);
}

// Auto Scaling and Elastic Load Balancing make theirs with the first group and balancer, Systems Manager does not:
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-service-linked-roles.html
// https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles.html
const ROLES = [
  ['AWSServiceRoleForAutoScaling', 'autoscaling.amazonaws.com', () => warning, 'AWS makes it with the first group, whose first launch may then fail'],
  ['AWSServiceRoleForElasticLoadBalancing', 'elasticloadbalancing.amazonaws.com', () => warning, 'AWS makes it with the first balancer'],
  ['AWSServiceRoleForAmazonSSM', 'ssm.amazonaws.com', () => (site.hasDispatchRole ? warning : no), 'without it Systems Manager may start no release'],
];

async function roles() {
  const lines = await Promise.all(
    ROLES.map(async ([name, service, verdict, why]) => {
      try {
        await aws(['iam', 'get-role', '--role-name', name], 'Role.Arn', 'string');
        return [];
      } catch (failure) {
        if (failure.code !== 'NoSuchEntity') {
          throw failure;
        }
        return [verdict()(`the account lacks ${name}: ${why}`, `type: aws iam create-service-linked-role --aws-service-name ${service}`)];
      }
    }),
  );
  return lines.flat().length > 0 ? lines.flat() : ok(ROLES.map(([name]) => name).join(', '));
}

// https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
const KEY_ACTIONS = ['kms:CreateGrant', 'kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'];
const GRANTED = 'Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant';

async function diskKey() {
  const id = await aws(['ec2', 'get-ebs-default-kms-key-id'], 'KmsKeyId', 'string');
  if (id === 'alias/aws/ebs') {
    return ok("AWS's own key");
  }
  const key = await aws(['kms', 'describe-key', '--key-id', id], 'KeyMetadata', 'object');
  if (key.KeyManager === 'AWS') {
    return ok("AWS's own key");
  }
  const arn = field(key, 'Arn', 'string', 'aws kms describe-key');
  if (key.KeyState !== 'Enabled') {
    return no(`disks are encrypted with ${arn}, which is ${key.KeyState}`, `type: aws kms enable-key --key-id ${arn}, or: aws ec2 reset-ebs-default-kms-key-id`);
  }
  const role = `arn:${partition}:iam::${account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`;
  return (await isGranted(arn, role)) || (await isAllowed(arn, role))
    ? ok(`${arn}, which Auto Scaling may use`)
    : no(`disks are encrypted with ${arn}, which neither a grant nor its policy lets Auto Scaling use: no machine would start`, `type: aws kms create-grant --key-id ${arn} --grantee-principal ${role} --operations ${GRANTED}`);
}

async function isGranted(arn, role) {
  const grants = await aws(['kms', 'list-grants', '--key-id', arn], 'Grants', 'array');
  return grants.some((grant) => grant.GranteePrincipal === role && GRANTED.split(' ').every((operation) => grant.Operations?.includes(operation)));
}

async function isAllowed(arn, role) {
  let policy;
  try {
    policy = JSON.parse(await aws(['kms', 'get-key-policy', '--key-id', arn, '--policy-name', 'default'], 'Policy', 'string'));
  } catch (failure) {
    // Another account's key shows its policy to nobody here, and a grant is the only way.
    if (arn.split(':')[4] !== account) {
      return false;
    }
    throw failure;
  }
  const statements = [field(policy, 'Statement', 'object', 'aws kms get-key-policy')].flat();
  const ofRole = statements.filter(({ Effect, Principal }) => Effect === 'Allow' && [Principal?.AWS].flat().includes(role));
  const actions = ofRole.flatMap(({ Action }) => [Action ?? []].flat());
  return KEY_ACTIONS.every((wanted) => actions.some((action) => new RegExp(`^${action.replaceAll('*', '.*')}$`, 'i').test(wanted)));
}

/** The images of a Dockerfile's FROM lines: the first registry, and those that stand in for it. */
function imagesOf(file) {
  const images = readFileSync(join(ROOT, file), 'utf8').match(/^FROM\s+(?!--)\S+/gm)?.map((line) => line.split(/\s+/)[1]) ?? [];
  if (images.length === 0) {
    throw new Failure(`${file} names no image in a FROM line`);
  }
  return images;
}

async function look(image, own) {
  const { architecture } = (await typesOfSite())[site.groups.find((group) => group.role === 'host').type];
  try {
    const there = await architectures(image);
    return there.includes(architecture)
      ? ok(`${image}, for ${architecture}`)
      : no(`${image} is not there for ${architecture}, which the hosts are (but for ${list(new Set(there))})`, own ? `build it for linux/${architecture} too, or write an "instanceType" of its architecture into cdk.json` : `write an "instanceType" of its architecture into cdk.json`);
  } catch (failure) {
    if (failure.code === '404') {
      return no(`${image} is not in its registry`, own ? 'push it, or write the right "appImage" into cdk.json' : 'take a newer commit of Twinhost, or write another one into the Dockerfile that names it');
    }
    if (own && (failure.code === '401' || failure.code === '403')) {
      return warning(`${image} is not public, so it was not looked at`, 'log in on every host, as docs/operate.md says, before a release needs it');
    }
    return failure.code === '429'
      ? no(`${image} could not be checked: the registry has had too many questions from this address`, 'wait for an hour, then type: bin/preflight')
      : broken(failure);
  }
}

const imageOf = (file) => async () => {
  const lines = await Promise.all(imagesOf(file).map((image) => look(image, false)));
  const good = lines.find((line) => line.verdict === 'ok');
  return good ? lines.map((line) => (line.verdict === 'no' ? warning(line.found, 'the machines take it from the other registry; look again before a release: bin/preflight') : line)) : lines;
};

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
const ECR = /^(\d{12})\.dkr[.-]ecr\.([a-z0-9-]+)\.[^/]+$/;

async function application() {
  const image = site.settings.TWINHOST_APP_IMAGE;
  if (image === '') {
    return ok('the page that Twinhost ships');
  }
  if (image.startsWith('asset:')) {
    return ok('a folder, which the deploy builds');
  }
  const { registry, repository, reference } = parseImage(image);
  const [, owner, place] = ECR.exec(registry) ?? [];
  if (!owner) {
    return look(image, true);
  }
  const id = reference.startsWith('sha256:') ? `imageDigest=${reference}` : `imageTag=${reference}`;
  const call = ['ecr', 'describe-images', '--registry-id', owner, '--region', place, '--repository-name', repository, '--image-ids', id];
  try {
    await aws(call, 'imageDetails.0.imageDigest', 'string');
    return ok(`${image} is there; for which architecture was not looked at`);
  } catch (failure) {
    if (/^(ImageNotFoundException|RepositoryNotFoundException)$/.test(failure.code)) {
      return no(`${image} is not in its registry`, 'push it, or write the right "appImage" into cdk.json');
    }
    throw failure;
  }
}

/** What every other check stands on: where one of these says no, there is nothing to ask. */
const FIRST = [
  ['credentials', credentials],
  ['settings', settings],
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
  ['edge image', imageOf('docker/edge/Dockerfile')],
  ['certbot image', imageOf('docker/certbot/Dockerfile')],
  ['appImage', application],
];

const [asJson, ...choice] = process.argv.slice(2);
const assembly = mkdtempSync(join(tmpdir(), 'twinhost-preflight-'));
const once = (ask) => {
  let answer;
  return () => (answer ??= ask());
};
const zone = once(zoneOfRecords);
const typesOfSite = once(describeTypes);
const deployed = once(statusOfStack);
let account, partition, site;

const findings = [];

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
  for (const line of lines) {
    findings.push(line);
    if (!asJson) {
      console.log(`${line.verdict.padEnd(8)}${line.check.padEnd(14)}${line.found}${line.next && `\n${' '.repeat(22)}${line.next}`}`);
    }
  }
}

try {
  for (const first of FIRST) {
    report(await check(first));
    if (findings.some((line) => line.verdict === 'no')) {
      process.exitCode = 2;
      break;
    }
  }
  if (!process.exitCode) {
    for (const answer of CHECKS.map(check)) {
      report(await answer);
    }
  }
  const refused = findings.filter((line) => line.verdict === 'no').length;
  process.exitCode ||= refused > 0 ? 1 : 0;
  console.log(
    asJson
      ? JSON.stringify(findings, null, 2)
      : process.exitCode === 2
        ? '\nnothing else was checked'
        : refused > 0
          ? `\n${refused} of these would make a deploy fail, or a site that does not answer`
          : '\nnothing stands in the way of a deploy',
  );
} finally {
  rmSync(assembly, { recursive: true, force: true });
}
