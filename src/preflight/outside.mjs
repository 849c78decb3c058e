// What bin/preflight asks of the world: AWS through its command line, the DNS, and the registries of images. Every question has
// a limit, and an answer without the field that was asked for is a failure like any other: nobody takes it for a yes.
//
// PREFLIGHT_DNS (address:port), PREFLIGHT_REGISTRIES (a URL, below which the registries are by their names) and PREFLIGHT_SECONDS
// (for a call of AWS) are for the tests, which have no world.
import { execFile } from 'node:child_process';
import { Resolver } from 'node:dns/promises';

const COMMAND_MILLISECONDS = Number(process.env.PREFLIGHT_SECONDS ?? 60) * 1000;
const DNS_MILLISECONDS = 5_000;
const REGISTRY_MILLISECONDS = 20_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** A question without a usable answer. code is AWS's, the DNS's or HTTP's name for it, or empty. */
export class Failure extends Error {
  constructor(message, code = '') {
    super(message);
    this.code = code;
  }
}

/** Runs a command and resolves to its output and status; rejects where it cannot be run or does not end in time. */
export function run(command, words, milliseconds, options = {}) {
  return new Promise((resolve, reject) => {
    const limits = { timeout: milliseconds, killSignal: 'SIGKILL', maxBuffer: MOST_BYTES };
    execFile(command, words, { ...limits, ...options }, (error, stdout, stderr) => {
      if (error?.killed) {
        reject(new Failure(`${command} did not end within ${milliseconds / 1000} s`));
      } else if (error && typeof error.code !== 'number') {
        reject(new Failure(`${command} cannot be run: ${error.message}`));
      } else {
        resolve({ status: error ? error.code : 0, stdout, stderr });
      }
    });
  });
}

/**
 * Asks AWS, and returns the field of the answer at path, as "Quota.Value", or all of it where path is empty. It has to be of that
 * type: a name of typeof, or array.
 * AWS's own error is thrown with its code: https://docs.aws.amazon.com/cli/latest/topic/return-codes.html
 */
export async function aws(words, path, type) {
  const call = `aws ${words[0]} ${words[1]}`;
  const limits = ['--output', 'json', '--cli-connect-timeout', '10', '--cli-read-timeout', '20'];
  const env = { ...process.env, AWS_PAGER: '', AWS_MAX_ATTEMPTS: '2' };
  const ended = await run('aws', [...words, ...limits], COMMAND_MILLISECONDS, { env });
  if (ended.status !== 0) {
    const lines = ended.stderr.trim().split('\n');
    const said = lines.find((line) => line.includes('An error occurred')) || lines.pop() || `${call} ended with ${ended.status}`;
    throw new Failure(said, /\((\w[\w.]*)\) when calling/.exec(said)?.[1]);
  }
  let answer;
  try {
    answer = JSON.parse(ended.stdout);
  } catch {
    throw new Failure(`${call} answered no JSON`);
  }
  return field(answer, path, type, call);
}

/** The field of an answer at path, of that type. */
export function field(answer, path, type, call) {
  const value = path === '' ? answer : path.split('.').reduce((from, key) => from?.[key], answer);
  const fits = type === 'array' ? Array.isArray(value) : typeof value === type && value !== null;
  if (!fits) {
    throw new Failure(`${call} answered without ${path || 'an object'}`);
  }
  return value;
}

/** What the resolver of this machine says of a name; an empty list where there is no such name or record. */
export async function dns(name, type) {
  const resolver = new Resolver({ timeout: DNS_MILLISECONDS, tries: 2 });
  if (process.env.PREFLIGHT_DNS) {
    resolver.setServers([process.env.PREFLIGHT_DNS]);
  }
  try {
    return await resolver.resolve(name, type);
  } catch (error) {
    if (error.code === 'ENODATA' || error.code === 'ENOTFOUND') {
      return [];
    }
    throw new Failure(`the DNS does not answer for ${type} of ${name}: ${error.code}`, error.code);
  }
}

/** An image's reference in its parts, with Docker Hub's short forms written out. */
export function parseImage(image) {
  // https://github.com/distribution/reference: what is before the first slash is a registry if it has a dot or a port.
  const [, host, path, tag, digest] = /^(?:([^/]*[.:][^/]*|localhost)\/)?([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(image) ?? [];
  if (!path) {
    throw new Failure(`"${image}" is no reference of an image`);
  }
  const hub = !host || host === 'docker.io' || host === 'index.docker.io';
  return {
    registry: hub ? 'registry-1.docker.io' : host,
    repository: hub && !path.includes('/') ? `library/${path}` : path,
    reference: digest ?? tag ?? 'latest',
  };
}

// https://github.com/opencontainers/image-spec/blob/main/media-types.md and what Docker calls the same
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** For which architectures an image of a public registry can be had, as Docker names them. Reads its manifest, no layer. */
export async function architectures(image) {
  const { registry, repository, reference } = parseImage(image);
  const at = `https://${registry}/v2/${repository}`;
  const first = await get(`${at}/manifests/${reference}`);
  // https://distribution.github.io/distribution/spec/auth/token/
  const token = first.status === 401 ? await anonymousToken(first.headers.get('www-authenticate'), registry) : undefined;
  const manifest = await json(first.status === 401 ? await get(`${at}/manifests/${reference}`, token) : first, image);
  if (Array.isArray(manifest.manifests)) {
    return manifest.manifests.filter((one) => one?.platform?.os === 'linux').map((one) => one.platform.architecture);
  }
  const config = field(manifest, 'config.digest', 'string', `the manifest of ${image}`);
  const blob = await json(await get(`${at}/blobs/${config}`, token), image);
  return [field(blob, 'architecture', 'string', `the configuration of ${image}`)];
}

async function anonymousToken(challenge, registry) {
  const [, realm] = /realm="([^"]+)"/.exec(challenge ?? '') ?? [];
  if (!/^bearer /i.test(challenge ?? '') || !realm) {
    throw new Failure(`${registry} wants a login`, '401');
  }
  const url = new URL(realm);
  for (const [, key, value] of challenge.matchAll(/\b(service|scope)="([^"]+)"/g)) {
    url.searchParams.set(key, value);
  }
  const answer = await json(await get(url.href), `a token of ${url.host}`);
  return field(answer.token ? answer : { token: answer.access_token }, 'token', 'string', url.host);
}

async function get(url, token) {
  const stand = process.env.PREFLIGHT_REGISTRIES;
  const headers = { accept: MANIFESTS, ...(token && { authorization: `Bearer ${token}` }) };
  try {
    return await fetch(stand ? url.replace(/^https:\//, stand) : url, {
      headers,
      signal: AbortSignal.timeout(REGISTRY_MILLISECONDS),
    });
  } catch (error) {
    throw new Failure(`${new URL(url).host} does not answer: ${error.cause?.code ?? error.message}`);
  }
}

const REFUSALS = { 401: 'wants a login', 403: 'wants a login', 404: 'is not in its registry', 429: 'was asked for too often' };

async function json(response, what) {
  if (!response.ok) {
    throw new Failure(`${what} ${REFUSALS[response.status] ?? 'was refused'} (HTTP ${response.status})`, String(response.status));
  }
  const answer = await response.json().catch(() => null);
  if (answer === null || typeof answer !== 'object') {
    throw new Failure(`${what}: the registry answered no JSON`);
  }
  return answer;
}
