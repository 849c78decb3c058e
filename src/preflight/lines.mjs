// What a check says: a verdict, what was found, and what to do next.
export const ok = (found) => ({ verdict: 'ok', found, next: '' });
export const warning = (found, next) => ({ verdict: 'warning', found, next });
export const no = (found, next) => ({ verdict: 'no', found, next });

/** The line of a check that broke, by AWS's name for the failure. */
export function broken({ code, message }) {
  const denied = /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|AuthorizationError)$/.test(code);
  return no(
    `could not be checked: ${message}`,
    denied
      ? 'the credentials lack that right; docs/failures.md lists those of bin/preflight'
      : 'set that right, then type: bin/preflight',
  );
}

export const list = (values) => [...values].sort().join(', ');
