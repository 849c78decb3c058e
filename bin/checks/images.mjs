// The checks of the images: whether each can be had from its registry, for the architecture of the hosts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { about } from './about.mjs';
import { typesOfSite } from './account.mjs';
import { broken, list, no, ok, warning } from './lines.mjs';
import { architectures, aws, Failure, parseImage } from './outside.mjs';
import { ROOT } from './site.mjs';

const REFUSED = ['401', '403'];

async function look(image) {
  const { type } = about.site.groups.find((group) => group.role === 'host');
  const { architecture } = (await typesOfSite())[type];
  const there = await architectures(image);
  return there.includes(architecture)
    ? ok(`${image}, for ${architecture}`)
    : no(
        `${image} is there for ${list(new Set(there)) || 'no machine'}, and ${type} wants ${architecture}`,
        `build it for linux/${architecture}, or write an "instanceType" of another architecture into cdk.json`,
      );
}

/** The images of a Dockerfile's FROM lines: where there are several, each is the same one in another registry. */
export async function imagesOf(file) {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const images = [...text.matchAll(/^FROM\s+(?:--\S+\s+)*(\S+)/gim)].map(([, image]) => image);
  if (images.length === 0) {
    throw new Failure(`${file} names no image in a FROM line`);
  }
  const lines = await Promise.all(images.map((image) => look(image).catch(refused)));
  const elsewhere = lines.some(({ verdict }) => verdict === 'ok');
  return lines.map((line) =>
    line.verdict === 'no' && elsewhere
      ? warning(line.found, 'the machines take it from the other registry; look again before a release: bin/preflight')
      : line,
  );
}

function refused(failure) {
  if (failure.code === '404') {
    return no(failure.message, 'take a newer commit of Twinhost, which names an image that is there');
  }
  return failure.code === '429' ? no(failure.message, 'the registry has answered too often; an hour later type: bin/preflight') : broken(failure);
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
  try {
    const { registry, repository, reference } = parseImage(image);
    const [, owner, region] = ECR.exec(registry) ?? [];
    return await (owner ? lookInEcr(image, owner, region, repository, reference) : look(image));
  } catch (failure) {
    if (['404', 'ImageNotFoundException', 'RepositoryNotFoundException'].includes(failure.code)) {
      return no(failure.message, 'push it, or write the right "appImage" into cdk.json');
    }
    return REFUSED.includes(failure.code)
      ? warning(`${image} is not public, so it was not looked at`, 'log in on every host before a release needs it: docs/operate.md')
      : refused(failure);
  }
}

async function lookInEcr(image, owner, region, repository, reference) {
  const id = reference.includes(':') ? `imageDigest=${reference}` : `imageTag=${reference}`;
  const place = ['--registry-id', owner, '--region', region, '--repository-name', repository, '--image-ids', id];
  await aws(['ecr', 'describe-images', ...place], 'imageDetails.0.imageDigest', 'string');
  return ok(`${image} is there; its architecture was not looked at`);
}
