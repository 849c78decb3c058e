// The checks of the images: whether each can be had from its registry, for the architecture of the hosts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { about } from './about.mjs';
import { typesOfSite } from './account.mjs';
import { broken, list, no, ok, warning } from './lines.mjs';
import { architectures, aws, Failure, parseImage } from './outside.mjs';
import { ROOT } from './site.mjs';

function hostType() {
  return about.site.groups.find((group) => group.role === 'host').type;
}

async function look(image, another) {
  const type = hostType();
  const { architecture } = (await typesOfSite())[type];
  const there = await architectures(image);
  return there.includes(architecture)
    ? ok(`${image}, for ${architecture}`)
    : no(
        `${image} is there for ${list(new Set(there)) || 'no machine'}, and ${type} wants ${architecture}`,
        `${another}; or write an "instanceType" of another architecture there`,
      );
}

/** Where machines take an image from, as `places` of docker/host/agent/decide/images.py has it: Docker's official ones are in two registries. */
function places(image) {
  const name = image.replace(/^docker\.io\//, '').replace(/^public\.ecr\.aws\/docker\//, '').replace(/^library\//, '');
  return name.includes('/') ? [image] : [`public.ecr.aws/docker/library/${name}`, `docker.io/library/${name}`];
}

/** The image of one of Twinhost's own services: that of the settings, or else of its Dockerfile. */
export async function imageOf(service) {
  const file = `docker/${service}/Dockerfile`;
  const image =
    about.site.settings[`TWINHOST_${service.toUpperCase()}_IMAGE`] || /^FROM (\S+)$/m.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1];
  if (!image) {
    throw new Failure(`${file} names no image in a line FROM`);
  }
  const another = `write one that is there as "${service}Image" into cdk.json, or take a newer commit of Twinhost`;
  const lines = await Promise.all(places(image).map((place) => look(place, another).catch((failure) => refused(failure, another))));
  const elsewhere = lines.some(({ verdict }) => verdict === 'ok');
  return lines.map((line) =>
    line.verdict === 'no' && elsewhere ? warning(line.found, 'nothing: the machines take it from its other registry') : line,
  );
}

function refused(failure, another) {
  if (['404', 'ImageNotFoundException', 'RepositoryNotFoundException'].includes(failure.code)) {
    return no(failure.message, another);
  }
  return failure.code === '429' ? no(failure.message, 'in an hour type again: bin/preflight') : broken(failure);
}

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
const ECR = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.[^/]+$/;

/** The image of the application. */
export async function application() {
  const image = about.site.settings.TWINHOST_APP_IMAGE;
  if (image === '') {
    return ok('the page that Twinhost ships');
  }
  if (image.startsWith('asset:')) {
    return ok('a folder, which the deploy builds');
  }
  const another = `push it for linux/${(await typesOfSite())[hostType()].architecture}, or write another "appImage" into cdk.json`;
  try {
    const { registry, repository, reference } = parseImage(image);
    const [, owner, region] = ECR.exec(registry) ?? [];
    return await (owner ? lookInEcr(image, owner, region, repository, reference) : look(image, another));
  } catch (failure) {
    return failure.code === '401' || failure.code === '403'
      ? warning(`${image} is not public, so it was not looked at`, login())
      : refused(failure, another);
  }
}

function login() {
  return about.site.settings.TWINHOST_APP_REGISTRY_SECRET
    ? 'nothing, where the login in "appRegistrySecret" may pull it'
    : 'write an "appRegistrySecret" with a login into cdk.json: the README says how';
}

async function lookInEcr(image, owner, region, repository, reference) {
  const id = reference.includes(':') ? `imageDigest=${reference}` : `imageTag=${reference}`;
  const place = ['--registry-id', owner, '--region', region, '--repository-name', repository, '--image-ids', id];
  await aws(['ecr', 'describe-images', ...place], 'imageDetails.0.imageDigest', 'string');
  return ok(`${image} is there; its architecture was not looked at`);
}
