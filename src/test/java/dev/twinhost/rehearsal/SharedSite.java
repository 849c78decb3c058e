package dev.twinhost.rehearsal;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** A site that is up, started before the first test that wants it and ended after the last of all tests. */
final class SharedSite extends RunningSite {
    private SharedSite() {
        super('s');
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
