package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.iam.IPrincipal;
import software.amazon.awscdk.services.iam.OidcProviderNative;
import software.amazon.awscdk.services.iam.WebIdentityPrincipal;
import software.constructs.Construct;

/**
 * GitHub's OIDC provider, and the workflows of one repository by what GitHub says of them. An account can have only one
 * provider for it: where the settings name none it is made, and stays when its stack goes, as others may trust it.
 *
 * <p>Workflows are told apart by equality of the token's audience and subject alone, and of its ref where the subject
 * names an environment and so no branch. To GitHub, every workflow of the main branch is the main branch, whatever has
 * started it: https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims.
 *
 * <p>A pull request of a public fork has the subject of any pull request, but gets no token: at most {@code none} is
 * granted for {@code id-token} there, https://docs.github.com/en/actions/reference/github_token-reference.
 */
final class GitHubTrust extends Construct {
    private static final String ISSUER = "token.actions.githubusercontent.com";
    private static final String AUDIENCE = "sts.amazonaws.com";
    private static final String MAIN = "refs/heads/main";

    private final String repository;
    private final String providerArn;

    GitHubTrust(Construct scope, String id, Settings settings) {
        super(scope, id);
        repository = settings.githubRepository().orElseThrow();
        providerArn = settings.githubOidcProviderArn().orElseGet(this::createProvider);
    }

    /** Without a thumbprint: IAM knows the authorities itself that have signed GitHub's certificate. */
    // https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html
    private String createProvider() {
        return OidcProviderNative.Builder.create(this, "Provider")
                .url("https://" + ISSUER)
                .clientIds(List.of(AUDIENCE))
                .removalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
                .build()
                .getOidcProviderArn();
    }

    IPrincipal pullRequests() {
        return workflows(Map.of(claim("sub"), subject("pull_request")));
    }

    IPrincipal mainBranch() {
        return workflows(Map.of(claim("sub"), subject("ref:" + MAIN)));
    }

    IPrincipal mainBranchThrough(String environment) {
        return workflows(Map.of(claim("sub"), subject("environment:" + environment), claim("ref"), MAIN));
    }

    private IPrincipal workflows(Map<String, String> claims) {
        Map<String, String> conditions = new TreeMap<>(claims);
        conditions.put(claim("aud"), AUDIENCE);
        return new WebIdentityPrincipal(providerArn, Map.of("StringEquals", conditions));
    }

    private String subject(String context) {
        return "repo:" + repository + ':' + context;
    }

    private static String claim(String name) {
        return ISSUER + ':' + name;
    }

    String repository() {
        return repository;
    }

    String providerArn() {
        return providerArn;
    }
}
