package dev.twinhost.rehearsal.aws;

import com.sun.net.httpserver.HttpExchange;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.scaling.Groups;
import dev.twinhost.rehearsal.scaling.Instance;
import dev.twinhost.rehearsal.site.MachineGroup;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The instance metadata service, version 2 only: without a token that was asked for with PUT, nothing is told. At its
 * address, which every machine reaches as it does its file system, EFS says to the stand-in for mount.efs how it lets
 * the machine in.
 */
final class Metadata {
    private static final String TOKEN = "X-aws-ec2-metadata-token";
    private static final String TTL = "X-aws-ec2-metadata-token-ttl-seconds";
    private static final int LONGEST = 21600;
    private static final String MOUNT = "/rehearsal/mount/";
    private static final String ROLE = "rehearsal";

    private final Site site;
    private final StateFolder state;
    private final Groups groups;
    private final Access access;
    private final CallLog log;
    private final Map<String, Instant> tokens = new ConcurrentHashMap<>();

    Metadata(Site site, StateFolder state, Groups groups, Access access, CallLog log) {
        this.site = site;
        this.state = state;
        this.groups = groups;
        this.access = access;
        this.log = log;
    }

    Answer answer(Machine caller, HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        String method = exchange.getRequestMethod();
        if (path.startsWith(MOUNT)) {
            return mount(
                    caller,
                    path.substring(MOUNT.length()),
                    exchange.getRequestURI().getQuery());
        }
        Answer answer;
        if (path.equals("/latest/api/token") && method.equals("PUT")) {
            answer = token(caller, exchange);
        } else if (!method.equals("GET")) {
            answer = Answer.plain(405, "Method Not Allowed");
        } else if (!known(caller, exchange.getRequestHeaders().getFirst(TOKEN))) {
            answer = Answer.plain(401, "Unauthorized");
        } else {
            answer = document(caller, path);
        }
        log.add(caller.name(), "metadata " + method + " " + path, answer.status());
        return answer;
    }

    /**
     * How a machine may mount: {@code rw}, {@code ro}, or why it may not.
     *
     * @param options those of the mount, joined by commas: with {@code iam} it signs, with {@code tls} it encrypts
     */
    // https://docs.aws.amazon.com/efs/latest/ug/mounting-IAM-option.html
    private Answer mount(Machine caller, String fileSystem, String options) {
        List<String> given = List.of((options == null ? "" : options).split(","));
        Answer answer = Answer.plain(200, "rw");
        StringBuilder call = new StringBuilder("elasticfilesystem mount " + fileSystem + " " + options);
        for (String action : AccessRequests.MOUNT) {
            Optional<String> refusal =
                    access.mountRefusal(caller, action, fileSystem, given.contains("tls"), given.contains("iam"));
            if (refusal.isPresent()) {
                call.append(" AccessDenied: ").append(refusal.get());
                boolean reads = action.endsWith(":ClientWrite");
                answer = reads ? Answer.plain(200, "ro") : Answer.plain(403, refusal.get());
                if (!reads) {
                    break;
                }
            }
        }
        log.add(caller.name(), call.toString(), answer.status());
        return answer;
    }

    private Answer token(Machine caller, HttpExchange exchange) {
        if (exchange.getRequestHeaders().containsKey("X-Forwarded-For")) {
            return Answer.plain(403, "Forbidden");
        }
        String wanted = exchange.getRequestHeaders().getFirst(TTL);
        if (wanted == null
                || !wanted.matches("\\d{1,5}")
                || Integer.parseInt(wanted) < 1
                || Integer.parseInt(wanted) > LONGEST) {
            return Answer.plain(400, "Bad Request");
        }
        String token = UUID.randomUUID().toString();
        tokens.put(key(caller, token), Instant.now().plus(Duration.ofSeconds(Integer.parseInt(wanted))));
        exchange.getResponseHeaders().set(TTL, wanted);
        return Answer.plain(200, token);
    }

    private boolean known(Machine caller, String token) {
        Instant end = tokens.get(key(caller, token));
        return end != null && Instant.now().isBefore(end);
    }

    private Answer document(Machine caller, String path) {
        if (path.equals("/latest/user-data")) {
            return Answer.plain(
                    200, Folders.read(state.machines().resolve(caller.name()).resolve("user-data")));
        }
        String value = documents(caller).get(path.replaceFirst("^/latest/", "").replaceFirst("/$", ""));
        return value == null ? Answer.plain(404, "Not Found") : Answer.plain(200, value);
    }

    private Map<String, String> documents(Machine caller) {
        MachineGroup group = site.machineGroup(caller.group());
        String region = site.place().region();
        String fullName = caller.hostname() + "." + region + ".compute.internal";
        Map<String, String> documents = new TreeMap<>();
        documents.put("meta-data/instance-id", caller.instanceId());
        documents.put("meta-data/instance-type", group.launchTemplate().instanceType());
        documents.put("meta-data/local-ipv4", caller.address());
        documents.put("meta-data/hostname", fullName);
        documents.put("meta-data/local-hostname", fullName);
        documents.put("meta-data/placement/region", region);
        documents.put("meta-data/placement/availability-zone", caller.zone());
        documents.put("meta-data/autoscaling/target-lifecycle-state", leaves(caller) ? "Terminated" : "InService");
        documents.put("meta-data/iam/security-credentials", ROLE);
        documents.put("meta-data/iam/security-credentials/" + ROLE, Credentials.document(caller));
        documents.put("dynamic/instance-identity/document", """
                {
                  "accountId": "%s",
                  "availabilityZone": "%s",
                  "instanceId": "%s",
                  "instanceType": "%s",
                  "privateIp": "%s",
                  "region": "%s"
                }
                """.formatted(
                        site.place().account(),
                        caller.zone(),
                        caller.instanceId(),
                        group.launchTemplate().instanceType(),
                        caller.address(),
                        region));
        return documents;
    }

    /** Whether its group wants to end it, from the first moment on. */
    private boolean leaves(Machine caller) {
        return groups.find(caller.group())
                .flatMap(group -> group.instance(caller.instanceId()))
                .filter(Instance::leaves)
                .isPresent();
    }

    private static String key(Machine caller, String token) {
        return caller.instanceId() + "/" + token;
    }
}
