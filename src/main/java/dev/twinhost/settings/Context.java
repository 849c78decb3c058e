package dev.twinhost.settings;

import java.util.Map;

/** Where settings come from: the context of the CDK app, or a map in a test. */
@FunctionalInterface
public interface Context {
    /** Every key and value; what belongs to CDK itself may be among them. */
    Map<String, Object> values();
}
