package dev.twinhost;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Stands in for Docker: for its API behind the socket, with one file for each answer, and for the command. What it
 * was called with is noted: calls in one place, bodies and the login to a registry in others.
 */
final class EngineStandIn {
    /** What is answered outside the machine: a deploy that waits for its release. */
    private static final String CURL = """
            printf 'curl %s\\n' "$*" >>"$TWINHOST_ROOT/commands"
            while (($#)); do
              case $1 in
                -X) method=$2 && shift ;;
                --data-binary) body=$2 && shift ;;
                -K) url=$(sed -n 's/^url = "\\(.*\\)"$/\\1/p') && shift ;;
              esac
              shift
            done
            [[ ! -e $TWINHOST_ROOT/unreachable ]] || { cat "$TWINHOST_ROOT/unreachable" >&2 && exit 22; }
            printf '%s\\n' "$method $url" "$(jq -c . "${body#@}")" >>"$TWINHOST_ROOT/answers\"""";

    private static final String DOCKER = """
            printf 'docker %s\\n' "$*" >>"$TWINHOST_ROOT/commands"
            name=$TWINHOST_ROOT/docker/$1${2:+_${2//\\//_}}
            [[ -e $name ]] || name=$TWINHOST_ROOT/docker/$1
            [[ ! -e $name ]] || . "$name\"""";

    /** What is called in the network of a container: answers of an edge, or of the application, unless the test says otherwise. */
    private static final String NSENTER = """
            printf 'nsenter %s\\n' "$*" >>"$TWINHOST_ROOT/commands"
            name=$TWINHOST_ROOT/nsenter-$4
            if [[ -e $name ]]; then . "$name"; elif [[ $4 == curl ]]; then printf '200 0.003'; fi""";

    /** The services of a release, none of which is wanted anywhere. */
    static final String SERVICES =
            "[" + idle("edge") + "," + idle("app") + "," + idle("challenge") + "," + idle("certbot") + "]";

    private final Shell shell;

    EngineStandIn(Shell shell) {
        this.shell = shell;
        EngineSocket.serve(shell);
        shell.standIn("curl", CURL);
        shell.standIn("docker", DOCKER);
        shell.standIn("nsenter", NSENTER);
        answer("GET", "/_ping", "OK");
        swarm("inactive", "");
        // no other machine applies a release
        answer("POST", "/configs/create", "{\"ID\":\"turn\"}").answer("DELETE", "/configs/turn", "");
    }

    EngineStandIn answer(String method, String path, String json) {
        shell.write("engine/" + method + path.replace('/', '_'), json);
        return this;
    }

    /** What the engine says instead of an answer. */
    EngineStandIn refuse(String method, String path, String message) {
        shell.write("engine/" + method + path.replace('/', '_') + ".refusal", message);
        return this;
    }

    /**
     * Bash that runs when {@code $target} of this path is called, before it is answered with the file {@code $name};
     * where it fails, there is no answer.
     */
    EngineStandIn then(String method, String path, String script) {
        shell.write("engine/" + method + path.replace('/', '_') + ".then", script);
        return this;
    }

    /** Bash that stands for a docker command, as {@code stack} or {@code config_rm}. */
    EngineStandIn command(String name, String script) {
        shell.write("docker/" + name, script);
        return this;
    }

    /** Bash that stands for {@code curl} or {@code ss} in the network of a container. */
    EngineStandIn inNetwork(String command, String script) {
        shell.write("nsenter-" + command, script);
        return this;
    }

    /** The engine's place in a Swarm; an empty cluster is one whose leader is not seen. */
    EngineStandIn swarm(String state, String cluster) {
        return answer("GET", "/info", info(state, cluster));
    }

    static String info(String state, String cluster) {
        return "{\"Swarm\":{\"LocalNodeState\":\"" + state + "\",\"NodeID\":\"node-1\",\"ControlAvailable\":"
                + state.equals("active") + ",\"Cluster\":"
                + "{\"ID\":\"" + cluster + "\"}}}";
    }

    String body(String method, String path) {
        return shell.read("engine/" + method + path.replace('/', '_') + ".body");
    }

    /** The header {@code X-Registry-Auth}; empty where there was none. */
    String headers(String method, String path) {
        return shell.read("engine/" + method + path.replace('/', '_') + ".headers");
    }

    /** Every command line that a script called. */
    List<String> commands() {
        Path commands = shell.path("commands");
        try {
            return Files.exists(commands) ? Files.readAllLines(commands) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Tasks of which one is on this machine, of no service that is judged. */
    static final String TASKS = "[{\"ID\":\"e\",\"ServiceID\":\"e\",\"NodeID\":\"node-1\",\"DesiredState\":\"running\","
            + "\"NetworksAttachments\":[{\"Network\":{\"Spec\":{\"Name\":\"twinhost_web\"}},\"Addresses\":[\"10.0.1.8/24\"]}],"
            + "\"Status\":{\"State\":\"running\",\"ContainerStatus\":{\"ContainerID\":\"c0ffee\",\"PID\":4711}}}]";

    /** A service of a release, without a replica. */
    static String idle(String name) {
        return "{\"ID\":\"" + name + "\",\"Spec\":{\"Name\":\"twinhost_" + name
                + "\",\"Mode\":{\"Replicated\":{\"Replicas\":0}}}}";
    }
}
