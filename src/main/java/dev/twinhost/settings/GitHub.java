package dev.twinhost.settings;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whose workflows are let into the account: checks of a repository, its environment and the account's provider. */
final class GitHub {
    static final String WANTED_REPOSITORY =
            "owner/name, or owner@id/name@id with GitHub's ids, such as octo-org@123456/site@456789";
    static final String WANTED_ENVIRONMENT =
            "the name of an environment of the repository, such as production: letters, digits, and . _ - between them";
    static final String WANTED_PROVIDER =
            "arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com, with the account's 12 digits";

    /**
     * An account's name, where it is managed by a company with that one's short name behind it, and a repository's name.
     * Both may be followed by an id, as the subject of a token has them:
     * https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims,
     * https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication,
     * https://github.com/github/docs/issues/44518.
     */
    private static final Pattern REPOSITORY =
            Pattern.compile("(?<owner>[A-Za-z0-9]+(-[A-Za-z0-9]+)*(_[A-Za-z0-9]+)?)(?<ownerId>@[1-9][0-9]{0,18})?"
                    + "/(?<name>[A-Za-z0-9._-]{1,100})(?<nameId>@[1-9][0-9]{0,18})?");

    private static final int LONGEST_OWNER = 39;
    private static final Pattern NO_NAME = Pattern.compile("\\.{1,2}|.*\\.(git|wiki)", Pattern.CASE_INSENSITIVE);

    /** Fewer than GitHub takes: none that it would write in another way in the subject, and none that IAM would read. */
    private static final Pattern ENVIRONMENT = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9])?");

    private static final Pattern PROVIDER =
            Pattern.compile("arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com");

    private GitHub() {}

    static void check(
            List<Fault> faults, Optional<String> repository, Optional<String> environment, Optional<String> provider) {
        repository
                .filter(written -> !isRepository(written))
                .ifPresent(written ->
                        faults.add(new Fault("githubRepository", "is not a repository", written, WANTED_REPOSITORY)));
        environment
                .filter(written -> !ENVIRONMENT.matcher(written).matches())
                .ifPresent(written -> faults.add(new Fault(
                        "githubEnvironment", "is not the name of an environment", written, WANTED_ENVIRONMENT)));
        provider.filter(written -> !PROVIDER.matcher(written).matches())
                .ifPresent(written -> faults.add(new Fault(
                        "githubOidcProviderArn",
                        "is not the ARN of the account's provider for GitHub",
                        written,
                        WANTED_PROVIDER)));
        if (repository.isEmpty()) {
            environment.ifPresent(written -> faults.add(alone("githubEnvironment", written)));
            provider.ifPresent(written -> faults.add(alone("githubOidcProviderArn", written)));
        }
    }

    private static boolean isRepository(String written) {
        Matcher parts = REPOSITORY.matcher(written);
        return parts.matches()
                && parts.group("owner").length() <= LONGEST_OWNER
                && !NO_NAME.matcher(parts.group("name")).matches()
                && (parts.group("ownerId") == null) == (parts.group("nameId") == null);
    }

    private static Fault alone(String key, String written) {
        return new Fault(key, "is set without a githubRepository", written, "githubRepository as well, or neither");
    }
}
