package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.Machines;
import dev.twinhost.rehearsal.release.Published;
import dev.twinhost.rehearsal.site.Site;
import java.util.Map;
import java.util.Optional;

/**
 * Whether a machine may do what it asks for, by the role and the tags that the last deploy has given. What it may not is
 * written down beside it, as a site whose machines are denied anything is one to be mended.
 */
final class Access {
    private final Iam iam;
    private final Published published;
    private final Machines machines;
    private Site site;
    private MachineRoles roles;
    private AccessRequests requests;

    Access(Iam iam, Published published, Machines machines) {
        this.iam = iam;
        this.published = published;
        this.machines = machines;
        refresh();
    }

    /** What IAM is asked about a call. */
    synchronized AccessRequest request(String call, Map<String, String> parameters) {
        refresh();
        return requests.of(
                call, parameters, instance -> machines.withId(instance).map(Machine::group));
    }

    /** What IAM says to a machine where it does not allow its call. */
    synchronized Optional<String> refusal(Machine caller, AccessRequest request) {
        refresh();
        Identity who = roles.identity(caller.group(), caller.instanceId());
        return refusal(caller, iam.judge(who, request), who, request);
    }

    /** What EFS says to a machine where it does not let it do one of {@link AccessRequests#MOUNT}. */
    synchronized Optional<String> mountRefusal(
            Machine caller, String action, String fileSystem, boolean tls, boolean signed) {
        refresh();
        Identity who = signed
                ? roles.identity(caller.group(), caller.instanceId())
                : Identity.anonymous(site.place().account());
        AccessRequest request = requests.mount(action, fileSystem, tls);
        return refusal(
                caller,
                iam.judge(who, request, requests.fileSystemPolicy(fileSystem).orElse(null)),
                who,
                request);
    }

    // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    private Optional<String> refusal(Machine caller, Verdict verdict, Identity who, AccessRequest request) {
        if (verdict.allowed()) {
            return Optional.empty();
        }
        String said = "User: " + who.described() + " is not authorized to perform: " + request.action()
                + " on resource: " + request.resource() + " " + verdict.why();
        machines.deny(caller, said);
        return Optional.of(said);
    }

    private void refresh() {
        Site current = published.current();
        if (current != site) {
            site = current;
            roles = new MachineRoles(site.template(), site.place());
            requests = new AccessRequests(site.template(), site.place());
        }
    }
}
