// The checks of the site's names: their zone, its delegation, the records in the way, and who may issue certificates.
import { about, once } from './about.mjs';
import { deployed } from './account.mjs';
import { list, no, ok, warning } from './lines.mjs';
import { aws, dns, Failure, field } from './outside.mjs';

const AUTHORITY = 'letsencrypt.org'; // https://letsencrypt.org/docs/caa/

const plain = (name) => name.toLowerCase().replace(/\.$/, '');
const owns = (zone, name) => `.${name}`.endsWith(`.${zone}`);

/** The lines about the hosted zone of the records, and its id, name and servers where there is one to look at. */
const zone = once(async () => {
  const { zoneId: id, domain } = about.site;
  if (id === undefined) {
    return { lines: ok('the stack makes no records (dns: none)') };
  }
  const find = `type: aws route53 list-hosted-zones-by-name --dns-name ${domain}, and write the id of its public zone into cdk.json`;
  const call = 'aws route53 get-hosted-zone';
  let answer;
  try {
    answer = await aws(['route53', 'get-hosted-zone', '--id', id], '', 'object');
  } catch (failure) {
    if (failure.code === 'NoSuchHostedZone') {
      return { lines: no(`hostedZoneId: is no zone of this account, got ${id}`, find) };
    }
    throw failure;
  }
  const name = plain(field(answer, 'HostedZone.Name', 'string', call));
  if (!owns(name, domain)) {
    return { lines: no(`hostedZoneId: is the zone of ${name}, which does not own ${domain}, got ${id}`, find) };
  }
  if (field(answer, 'HostedZone.Config.PrivateZone', 'boolean', call)) {
    return { lines: no(`hostedZoneId: is a private zone, which only VPCs see, got ${id}`, find) };
  }
  const servers = field(answer, 'DelegationSet.NameServers', 'array', call).map(plain);
  return { id, name, servers, lines: ok(`${name} (${id}), public`) };
});

export async function hostedZone() {
  return (await zone()).lines;
}

/** Whether the world asks this zone's servers: a domain may have several zones, and only one that counts. */
export async function delegation() {
  const { id, name, servers } = await zone();
  if (!id) {
    return [];
  }
  const enter = `enter at the registrar of ${name}, or as its NS record in the zone above: ${list(servers)}`;
  let asked;
  try {
    asked = (await dns(name, 'NS')).map(plain);
  } catch (failure) {
    if (failure.code !== 'ESERVFAIL') {
      throw failure;
    }
    return no(
      `the world gets no answer for ${name} (SERVFAIL)`,
      `${enter}; and take away a DS record that stands there, unless the zone is signed`,
    );
  }
  if (asked.length === 0) {
    return no(`the world does not find ${name}`, enter);
  }
  const strangers = asked.filter((server) => !servers.includes(server));
  return strangers.length > 0
    ? no(`the world asks ${list(strangers)} for ${name}, and not the zone ${id}`, enter)
    : ok(`the world asks the zone: ${list(asked)}`);
}

/** The records of a name, all of them. */
async function recordsOf(zoneId, name) {
  const most = 300;
  const call = 'aws route53 list-resource-record-sets';
  const place = ['--hosted-zone-id', zoneId, '--start-record-name', name, '--max-items', String(most)];
  const found = await aws(['route53', 'list-resource-record-sets', ...place], 'ResourceRecordSets', 'array');
  const named = found.filter((record) => plain(field(record, 'Name', 'string', call)) === name);
  if (named.length >= most) {
    throw new Failure(`${name} has ${most} records or more, and not all were read`);
  }
  named.forEach((record) => field(record, 'Type', 'string', call));
  return named;
}

/** The template's records that the stack has made already, each by its id and the name that it has. */
async function ownRecords() {
  if ((await deployed()) === undefined) {
    return [];
  }
  const call = ['cloudformation', 'list-stack-resources', '--stack-name', about.site.stack];
  return (await aws(call, 'StackResourceSummaries', 'array'))
    .filter((one) => one?.ResourceType === 'AWS::Route53::RecordSet' && one.ResourceStatus !== 'DELETE_COMPLETE')
    .map((one) => `${one.LogicalResourceId} ${plain(one.PhysicalResourceId ?? '')}`);
}

export async function records() {
  const { id } = await zone();
  if (!id) {
    return [];
  }
  const own = await ownRecords();
  const lines = await Promise.all(
    about.site.records.map(async (wanted) => {
      const name = plain(wanted.Name);
      return obstacles(wanted, name, await recordsOf(id, name), own.includes(`${wanted.id} ${name}`));
    }),
  );
  const found = new Map(lines.flat().map((line) => [line.found, line]));
  const names = about.site.records.map((record) => `${plain(record.Name)} ${record.Type}`);
  return found.size > 0 ? [...found.values()] : ok(`nothing is in the way of ${list(names)}`);
}

const DELETE = 'delete it in the zone';
const OR_NONE = 'or begin with "dns": "none" in cdk.json';

/** What stands in the way of one of the template's records: what Route 53 would answer in the middle of a deploy. */
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-weighted.html
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html, CNAME
function obstacles(wanted, name, there, own) {
  const apex = there.some((record) => record.Type === 'SOA');
  return there.flatMap((record) => {
    const what = `the ${record.Type} record of ${name}${record.SetIdentifier === undefined ? '' : ` (${record.SetIdentifier})`}`;
    if (record.Type !== wanted.Type) {
      return ofOtherType(what, record, wanted, apex);
    }
    if (own && record.SetIdentifier === wanted.SetIdentifier) {
      return [];
    }
    if (wanted.SetIdentifier === undefined) {
      return no(`${what} is there already, and CloudFormation takes over none`, `${DELETE}, or leave "caa" away in cdk.json`);
    }
    return record.SetIdentifier === wanted.SetIdentifier
      ? no(`${what} has the site's set identifier and is not this stack's`, `if it is not another site's, ${DELETE}`)
      : beside(what, record, wanted);
  });
}

function ofOtherType(what, record, wanted, apex) {
  if (record.Type === 'NS' && !apex) {
    return no(`${what} hands it to another zone, and this one is not asked for it`, `write the other zone's id into cdk.json, or ${DELETE}`);
  }
  if (wanted.Type === 'CNAME' || (record.Type === 'CNAME' && wanted.Type !== 'CAA')) {
    return no(`${what} excludes the site's ${wanted.Type}: a CNAME stands alone`, `${DELETE}, ${OR_NONE}`);
  }
  return record.Type === 'AAAA' && wanted.AliasTarget
    ? no(`${what} points elsewhere (the balancer has no IPv6), and while it stands no certificate is ordered`, DELETE)
    : [];
}

/** Whether a weighted record can stand beside one of its name and type. */
function beside(what, record, wanted) {
  if (record.SetIdentifier === undefined) {
    return no(
      `${what} has no weight, and Route 53 takes no weighted one beside it`,
      `${DELETE}, or make it a weighted one (aws route53 change-resource-record-sets, DELETE and CREATE in one batch), ${OR_NONE}`,
    );
  }
  if (record.Weight === undefined) {
    return no(`${what} has another routing policy, and Route 53 takes no weighted one beside it`, `${DELETE}, ${OR_NONE}`);
  }
  if (wanted.TTL !== undefined && Number(wanted.TTL) !== record.TTL) {
    return no(`${what} has a TTL of ${record.TTL}, and all weighted ones of a name have the same`, `change its TTL to ${wanted.TTL}`);
  }
  return record.Weight > 0
    ? warning(`${what} has a weight of ${record.Weight}, and gets its share of the clients`, 'no certificate is ordered until that is 0')
    : [];
}

/** The CAA records at exactly that name; from the zone itself where it owns the name, for the world may not ask it yet. */
async function caaAt(name) {
  const { id, name: zoneName } = await zone();
  if (!id || !owns(zoneName, name)) {
    return (await dns(name, 'CAA')).map(({ critical, ...property }) => {
      const [[tag, value]] = Object.entries(property);
      return { critical: critical > 0, tag: tag.toLowerCase(), value };
    });
  }
  const made = about.site.records.filter((record) => record.Type === 'CAA' && plain(record.Name) === name);
  return [...(await recordsOf(id, name)), ...made]
    .filter((record) => record.Type === 'CAA')
    .flatMap((record) => field(record, 'ResourceRecords', 'array', 'aws route53 list-resource-record-sets'))
    .map((record) => {
      const [, flags, tag, value] = /^(\d+) (\w+) "(.*)"$/.exec(record.Value ?? record) ?? [];
      if (!tag) {
        throw new Failure(`the CAA record of ${name} cannot be read`);
      }
      return { critical: Number(flags) >= 128, tag: tag.toLowerCase(), value };
    });
}

/** The CAA records that count for a name, with the name where they stand: the first upwards that has any. */
// https://www.rfc-editor.org/rfc/rfc8659#section-3
async function caaOf(name) {
  for (let at = name; at !== ''; at = at.split('.').slice(1).join('.')) {
    const found = await caaAt(at);
    if (found.length > 0) {
      return { at, found };
    }
  }
  return undefined;
}

// https://www.iana.org/assignments/pkix-parameters/pkix-parameters.xhtml#caa-properties
const KNOWN = ['issue', 'issuewild', 'iodef', 'contactemail', 'contactphone', 'issuemail', 'issuevmc'];

/** Whether the records let the authority issue to this site, for which no wildcard, no account and HTTP-01 alone is had. */
// https://www.rfc-editor.org/rfc/rfc8657
function admits(found) {
  const issue = found.filter(({ tag }) => tag === 'issue').map(({ value }) => value.split(';').map((part) => part.trim().toLowerCase()));
  return (
    issue.length === 0 ||
    issue.some(([issuer, ...parameters]) => {
      const [, methods = 'http-01'] = parameters.map((one) => one.split('=')).find(([key]) => key === 'validationmethods') ?? [];
      const bound = parameters.some((one) => one.startsWith('accounturi='));
      return issuer === AUTHORITY && !bound && methods.split(',').includes('http-01');
    })
  );
}

export async function caa() {
  const { names, settings } = about.site;
  const known = /^(production|staging)$/.test(settings.TWINHOST_ACME_NAME);
  const places = new Map();
  for (const name of names) {
    const counting = await caaOf(name);
    if (counting) {
      places.set(counting.at, { ...counting, names: [...(places.get(counting.at)?.names ?? []), name] });
    }
  }
  const lines = [...places.values()].flatMap(({ at, found, names: bound }) => {
    const said = list(new Set(found.map(({ tag, value }) => `${tag} "${value}"`)));
    const critical = found.find((record) => record.critical && !KNOWN.includes(record.tag));
    if (critical) {
      return no(`${at} has a critical CAA record that no CA knows (${critical.tag}): no certificate for ${bound.join(', ')}`, DELETE);
    }
    if (!known) {
      return warning(
        `the CAA records of ${at} (${said}) bind ${bound.join(', ')}, and whether they allow ${settings.TWINHOST_ACME_DIRECTORY} is not known here`,
        'look for the name that this CA wants in CAA records',
      );
    }
    return admits(found)
      ? []
      : no(
          `the CAA records of ${at} (${said}) forbid ${AUTHORITY}: no certificate for ${bound.join(', ')}`,
          `add to the CAA records of ${at}: 0 issue "${AUTHORITY}"`,
        );
  });
  return lines.length > 0 ? lines : ok(`no CAA record forbids a certificate for ${names.join(', ')}`);
}
