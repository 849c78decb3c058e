package dev.twinhost.rehearsal;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** A site that is up, started before the first test that wants it and ended after the last of all tests. */
final class SharedSite extends RunningSite {
    /** Its application reads this one as {@code /run/secrets/db_password}. */
    static final String SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db_password-AbCdEf";

    private SharedSite() {
        super(
                's',
                "-c",
                "appSecrets={\"db_password\": \"" + SECRET + "\"}",
                "-c",
                "extraDomains=old.example.com",
                "-c",
                "caa=true");
    }

    /** Gives the one site to every test that has a parameter for it. */
    static final class Extension implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType().equals(SharedSite.class);
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return context.getRoot()
                    .getStore(ExtensionContext.Namespace.GLOBAL)
                    .computeIfAbsent(SharedSite.class, key -> start(), SharedSite.class);
        }

        private static SharedSite start() {
            SharedSite site = new SharedSite();
            try {
                site.start();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return site;
        }
    }
}
