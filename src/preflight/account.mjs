// The checks of the account and the region.
import { about, once } from './about.mjs';
import { list, no, ok, warning } from './lines.mjs';
import { aws, field } from './outside.mjs';

// Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances:
// https://docs.aws.amazon.com/cli/latest/reference/service-quotas/get-service-quota.html#examples
const QUOTA = ['--service-code', 'ec2', '--quota-code', 'L-1216C47A'];
const STANDARD = /^([acdhmrtz]|i[ms]?)\d/;

/** The one field of every element, which has to be a text in each. */
function texts(elements, key, call) {
  return elements.map((element) => field(element, key, 'string', call));
}

const OTHER_REGION = 'type: export AWS_REGION=eu-central-1, or the region of the site';

function enableRegion() {
  return `aws account enable-region --region-name ${about.region}`;
}

/** What to do where AWS does not say whose the credentials are, by what its command line says instead. */
const WITHOUT_CREDENTIALS = [
  [/expired|lapsed/i, () => 'they have lapsed; type: aws sso login, or fetch new ones where you had these from'],
  [
    /Could not connect|timeout|did not end/i,
    () => `is ${about.region} misspelt, or is there no way out from here? type: aws sts get-caller-identity`,
  ],
  [
    /InvalidClientTokenId|SignatureDoesNotMatch|AuthFailure|RegionDisabled/,
    () => `the keys are wrong or deleted, or the account has not enabled the region; type: ${enableRegion()}`,
  ],
  [/^/, () => 'type: aws configure (or: aws sso login); where they have a profile of their own: export AWS_PROFILE=NAME'],
];

export async function credentials() {
  if (!/^[a-z]{2,4}(-[a-z]+)+-[1-9]$/.test(about.region)) {
    return no(`AWS_REGION: is no region, got "${about.region}"`, OTHER_REGION);
  }
  try {
    const arn = await aws(['sts', 'get-caller-identity'], 'Arn', 'string');
    [, about.partition, , , about.account] = arn.split(':');
    return ok(arn);
  } catch ({ message }) {
    return no(message, WITHOUT_CREDENTIALS.find(([words]) => words.test(message))[1]());
  }
}

export async function region() {
  const call = ['ec2', 'describe-regions', '--all-regions'];
  const regions = await aws(call, 'Regions', 'array');
  const known = regions.find((one) => one?.RegionName === about.region);
  if (!known) {
    return no(`the account knows no region ${about.region}`, OTHER_REGION);
  }
  return field(known, 'OptInStatus', 'string', 'aws ec2 describe-regions') === 'not-opted-in'
    ? no(`the account has not enabled ${about.region}`, `type: ${enableRegion()}`)
    : ok(about.region);
}

export async function bootstrap() {
  const { parameter, version } = about.site.bootstrap;
  const next = `type: npx cdk bootstrap aws://${about.account}/${about.region}`;
  try {
    const value = await aws(['ssm', 'get-parameter', '--name', parameter], 'Parameter.Value', 'string');
    const found = `version ${value}, ${version} or later wanted`;
    return Number(value) >= version ? ok(found) : no(found, next);
  } catch (failure) {
    if (failure.code === 'ParameterNotFound') {
      return no(`account ${about.account} was never bootstrapped in ${about.region}`, next);
    }
    throw failure;
  }
}

/** The status of the stack, or nothing where it is not there. */
export const deployed = once(async () => {
  try {
    const stacks = await aws(['cloudformation', 'describe-stacks', '--stack-name', about.site.stack], 'Stacks', 'array');
    return field(stacks[0], 'StackStatus', 'string', 'aws cloudformation describe-stacks');
  } catch (failure) {
    if (failure.code === 'ValidationError' && failure.message.includes('does not exist')) {
      return undefined;
    }
    throw failure;
  }
});

export async function stack() {
  const name = about.site.stack;
  const status = await deployed();
  // CDK deletes what a failed first deploy has left, and takes a review that nobody has ended for nothing.
  if (status === undefined || status === 'REVIEW_IN_PROGRESS' || status === 'ROLLBACK_COMPLETE') {
    return ok(`${name} is not deployed yet${status ? ` (${status})` : ''}`);
  }
  if (status.endsWith('_IN_PROGRESS')) {
    return no(
      `${name} is being changed: ${status}`,
      `wait until this says COMPLETE: aws cloudformation describe-stacks --stack-name ${name} --query 'Stacks[0].StackStatus'`,
    );
  }
  if (status === 'UPDATE_ROLLBACK_FAILED') {
    return no(`${name} could not go back: ${status}`, `type: npx cdk rollback ${name}`);
  }
  return status.endsWith('_COMPLETE')
    ? ok(`${name} is deployed: ${status}`)
    : no(
        `${name} takes no deploy: ${status}`,
        `see what failed: aws cloudformation describe-stack-events --stack-name ${name}; delete that by hand, then type: npx cdk destroy ${name}`,
      );
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

export async function zones() {
  const { groups } = about.site;
  const places = groups.flatMap((group) => group.zones).filter((place) => typeof place === 'number');
  const counted = places.length > 0 ? await countedZones() : [];
  const wanted = Math.max(0, ...places.map((place) => place + 1));
  if (counted.length < wanted) {
    return no(
      `${wanted} zones are wanted, and CloudFormation counts ${counted.length} in ${about.region}: ${list(counted)}`,
      'write "zones": 2 into cdk.json (the README says what is lost), or choose another region; where the region has more zones,' +
        ' one without a default subnet does not count: aws ec2 create-default-subnet --availability-zone ZONE',
    );
  }
  const types = [...new Set(groups.map((group) => group.type))].join(',');
  const filters = ['--filters', `Name=instance-type,Values=${types}`];
  const call = ['ec2', 'describe-instance-type-offerings', '--location-type', 'availability-zone', ...filters];
  const offered = await aws(call, 'InstanceTypeOfferings', 'array');
  return groups.map(({ type, setting, zones: ofGroup }) => {
    const names = ofGroup.map((place) => (typeof place === 'number' ? counted[place] : place));
    const there = offered.filter((one) => one?.InstanceType === type).map((one) => one.Location);
    const missing = names.filter((name) => !there.includes(name));
    return missing.length === 0
      ? ok(`${type} in ${list(names)}`)
      : no(
          `${type} is not offered in ${list(missing)}, where the template puts it, but in ${list(there) || 'no zone of this region'}`,
          `write another "${setting}" into cdk.json, one of: aws ec2 describe-instance-type-offerings` +
            ` --location-type availability-zone --filters Name=location,Values=${missing[0]} --query 'InstanceTypeOfferings[].InstanceType'` +
            (ofGroup.includes(missing[0]) ? '; or, before the first deploy, take the zone out of the list in cdk.context.json' : ''),
        );
  });
}

/** vCPUs and architecture of each type that the site uses, by the type. */
export const typesOfSite = once(async () => {
  const wanted = [...new Set(about.site.groups.map((group) => group.type))];
  const call = 'aws ec2 describe-instance-types';
  const types = await aws(['ec2', 'describe-instance-types', '--instance-types', ...wanted], 'InstanceTypes', 'array');
  return Object.fromEntries(
    wanted.map((name) => {
      const type = types.find((one) => one?.InstanceType === name);
      const arm = field(type, 'ProcessorInfo.SupportedArchitectures', 'array', call).includes('arm64');
      return [name, { vcpus: field(type, 'VCpuInfo.DefaultVCpus', 'number', call), architecture: arm ? 'arm64' : 'amd64' }];
    }),
  );
});

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

/** vCPUs of the standard machines that run and are not the site's. */
async function takenVcpus() {
  const filters = ['--filters', 'Name=instance-state-name,Values=pending,running'];
  const reservations = await aws(['ec2', 'describe-instances', ...filters], 'Reservations', 'array');
  const call = 'aws ec2 describe-instances';
  return reservations
    .flatMap((reservation) => field(reservation, 'Instances', 'array', call))
    .filter((machine) => STANDARD.test(field(machine, 'InstanceType', 'string', call)) && machine.InstanceLifecycle === undefined)
    .filter((machine) => !machine.Tags?.some((tag) => tag.Key === 'twinhost:stack' && tag.Value === about.site.stack))
    .map(
      (machine) =>
        field(machine, 'CpuOptions.CoreCount', 'number', call) * field(machine, 'CpuOptions.ThreadsPerCore', 'number', call),
    )
    .reduce((sum, vcpus) => sum + vcpus, 0);
}

export async function quota() {
  const { groups } = about.site;
  const other = groups.find((group) => !STANDARD.test(group.type));
  if (other) {
    return warning(
      `${other.type} is none of the standard instances, whose quota is looked at here`,
      'look at the quota of its family: aws service-quotas list-service-quotas --service-code ec2',
    );
  }
  const types = await typesOfSite();
  const hosts = groups.find((group) => group.role === 'host');
  const host = types[hosts.type].vcpus;
  const witness = types[groups.find((group) => group.role === 'witness')?.type]?.vcpus ?? 0;
  // An update starts a machine while the one before it still runs, for four minutes: all hosts twice, or one and the witness.
  const wanted = Math.max(2 * hosts.size * host + witness, (hosts.size + 1) * host + 2 * witness);
  const [taken, allowed] = await Promise.all([takenVcpus(), allowedVcpus()]);
  const found = `${allowed} vCPUs for standard instances, ${taken} taken by other machines, ${wanted} wanted`;
  return allowed - taken >= wanted
    ? ok(found)
    : no(found, `type: aws service-quotas request-service-quota-increase ${QUOTA.join(' ')} --desired-value ${wanted + taken}`);
}

// Auto Scaling and Elastic Load Balancing make theirs with the first group and balancer, Systems Manager does not:
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-service-linked-role.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-service-linked-roles.html
// https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles.html
const ROLES = [
  ['AWSServiceRoleForAutoScaling', 'autoscaling', () => warning, 'AWS makes it with the first group, whose first launch may fail'],
  ['AWSServiceRoleForElasticLoadBalancing', 'elasticloadbalancing', () => warning, 'AWS makes it with the first balancer'],
  [
    'AWSServiceRoleForAmazonSSM',
    'ssm',
    () => (about.site.hasDispatchRole ? warning : no),
    'without it Systems Manager may start no release',
  ],
];

export async function roles() {
  const lines = await Promise.all(
    ROLES.map(async ([name, service, verdict, why]) => {
      try {
        await aws(['iam', 'get-role', '--role-name', name], 'Role.Arn', 'string');
        return [];
      } catch (failure) {
        if (failure.code !== 'NoSuchEntity') {
          throw failure;
        }
        const next = `type: aws iam create-service-linked-role --aws-service-name ${service}.amazonaws.com`;
        return [verdict()(`the account lacks ${name}: ${why}`, next)];
      }
    }),
  );
  const lacking = lines.flat();
  return lacking.length > 0 ? lacking : ok(ROLES.map(([name]) => name).join(', '));
}

// https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
const KEY_ACTIONS = ['kms:CreateGrant', 'kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'];
const GRANTED = 'Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant';

export async function diskKey() {
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
    return no(
      `disks are encrypted with ${arn}, which is ${key.KeyState}`,
      `type: aws kms enable-key --key-id ${arn}, or: aws ec2 reset-ebs-default-kms-key-id`,
    );
  }
  const role = `arn:${about.partition}:iam::${about.account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`;
  return (await isGranted(arn, role)) || (await isAllowed(arn, role))
    ? ok(`${arn}, which Auto Scaling may use`)
    : no(
        `disks are encrypted with ${arn}, which neither a grant nor its policy lets Auto Scaling use: no machine would start`,
        `type: aws kms create-grant --key-id ${arn} --grantee-principal ${role} --operations ${GRANTED}`,
      );
}

async function isGranted(arn, role) {
  const grants = await aws(['kms', 'list-grants', '--key-id', arn], 'Grants', 'array');
  return grants.some(
    (grant) => grant.GranteePrincipal === role && GRANTED.split(' ').every((operation) => grant.Operations?.includes(operation)),
  );
}

async function isAllowed(arn, role) {
  let policy;
  try {
    policy = JSON.parse(await aws(['kms', 'get-key-policy', '--key-id', arn, '--policy-name', 'default'], 'Policy', 'string'));
  } catch (failure) {
    // Another account's key shows its policy to nobody here, and a grant is the only way.
    if (arn.split(':')[4] !== about.account) {
      return false;
    }
    throw failure;
  }
  const statements = [field(policy, 'Statement', 'object', 'aws kms get-key-policy')].flat();
  const ofRole = statements.filter(({ Effect, Principal }) => Effect === 'Allow' && [Principal?.AWS].flat().includes(role));
  const actions = ofRole.flatMap(({ Action }) => [Action ?? []].flat());
  return KEY_ACTIONS.every((wanted) => actions.some((action) => new RegExp(`^${action.replaceAll('*', '.*')}$`, 'i').test(wanted)));
}
