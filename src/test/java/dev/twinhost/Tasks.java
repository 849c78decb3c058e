package dev.twinhost;

/** Tasks of Swarm's services, as the engine tells of them. */
final class Tasks {
    private Tasks() {}

    /** Of the application, with a container on this machine. */
    static String task(String state, String error) {
        return "{\"ID\":\"t\",\"ServiceID\":\"s\",\"NodeID\":\"node-1\",\"CreatedAt\":\"1\",\"DesiredState\":\"running\","
                + "\"NetworksAttachments\":[{\"Network\":{\"Spec\":{\"Name\":\"twinhost_web\"}},\"Addresses\":[\"10.0.1.7/24\"]}],"
                + "\"Status\":{\"State\":\"" + state
                + "\",\"ContainerStatus\":{\"ContainerID\":\"c0ffee\",\"PID\":4711},\"Err\":"
                + (error.isEmpty() ? "null" : "\"" + error + "\"")
                + "},\"Spec\":{\"ContainerSpec\":{\"Image\":\"a\"}}}";
    }

    /** Of the service that has hosts pull an image. */
    static String pull(String node, String state, String error) {
        return "{\"NodeID\":\"" + node + "\",\"CreatedAt\":\"1\",\"Status\":{\"State\":\"" + state + "\",\"Err\":\""
                + error + "\"}}";
    }
}
