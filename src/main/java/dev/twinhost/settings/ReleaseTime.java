package dev.twinhost.settings;

import java.util.List;

/**
 * How long a release may take at most, reckoned from what the settings say of the application. Everything is in seconds.
 * The scripts of the machines take {@link #parallelism}, {@link #convergeSeconds},
 * {@link #backSeconds} and {@link #turnSeconds} from here; what they add of their
 * own is named here as they have it.
 *
 * @param replicas containers of the application
 * @param startSeconds what one of them may take until it answers
 */
public record ReleaseTime(int replicas, int startSeconds) {
    private static final int LEAST_START = 5;
    private static final int MOST_START = 900;

    /** A release that converges has the cluster to itself, and the credentials of a deploy last an hour. */
    private static final int MOST_CONVERGE = 3600;

    /** As many rounds an update has at most, so that its time does not grow with every replica. */
    private static final int MOST_ROUNDS = 8;

    /** {@code stop_grace_period} of the application in docker/app/service.yml: the old ones of a round end before the new ones start. */
    private static final int STOP = 30;

    /** Three checks that fail, 5 s each, before a container that has had its time counts as ill, and the update's delay of 2 s. */
    private static final int CHECKS_AND_DELAY = 17;

    /** For the other services, and the update's monitor after the last round. */
    private static final int OTHERS = 60;

    private static final int MONITOR = 30;

    /** What every release has to converge and to go back, however quickly the application starts. */
    private static final int LEAST_CONVERGE = 540;

    private static final int LEAST_BACK = 450;

    // docker/host/agent/budgets.py
    /** Of the trial of a new container, beside its start: until Swarm has taken it, three checks, its half a minute, and its last answers. */
    private static final int TRIAL = 135;

    /** Until every edge passes on an answer of the application, which has begun to by then; without a trial it may take its start as well. */
    private static final int ANSWER = 20;

    /** Until Swarm has taken a release. */
    private static final int DEPLOY = 180;

    /** Until Swarm has taken the one before again, and until a way back that does not end is ended. */
    private static final int BACK_DEPLOY = 210;

    /** Of an image at its limit: the application's. That of the edge is on every machine, unless it changes as well. */
    private static final int PULL = 900;

    /** What a release waits for its turn beyond the time for which another one can have it, and half a minute before that. */
    private static final int PREPARE = 150;

    /** Until the machine's own limit has ended a release with KILL, and the agent has seen it. */
    private static final int END = 120;

    /** For a machine that gets the release before the first one that answers: the witness, or one that boots. */
    private static final int ANOTHER_MACHINE = 780;

    /** Beside the range, what would make a release too long. */
    static void check(List<Fault> faults, int replicas, int startSeconds) {
        if (startSeconds < LEAST_START || startSeconds > MOST_START) {
            String wanted = "the seconds until it answers, from " + LEAST_START + " to " + MOST_START;
            faults.add(new Fault("appStartSeconds", "is out of range", startSeconds, wanted));
        } else if (replicas >= 1 && startSeconds > mostStartSeconds(replicas)) {
            String wanted = "at most " + mostStartSeconds(replicas) + ", or fewer appReplicas";
            faults.add(new Fault("appStartSeconds", "is too long for " + replicas + " replicas", startSeconds, wanted));
        }
    }

    /** The longest start with which so many replicas converge in time. */
    private static int mostStartSeconds(int replicas) {
        int rounds = new ReleaseTime(replicas, 0).rounds();
        return Math.min(MOST_START, (MOST_CONVERGE - OTHERS - MONITOR) / rounds - STOP - CHECKS_AND_DELAY);
    }

    /** How many containers an update exchanges at once. */
    public int parallelism() {
        return ceilDiv(replicas, MOST_ROUNDS);
    }

    private int rounds() {
        return ceilDiv(replicas, parallelism());
    }

    /** Until every container is exchanged, one round after the other. */
    private int exchangeSeconds() {
        return rounds() * (STOP + startSeconds + CHECKS_AND_DELAY);
    }

    /** Until every service has to have converged. */
    public int convergeSeconds() {
        return Math.max(LEAST_CONVERGE, OTHERS + exchangeSeconds() + MONITOR);
    }

    /** By how much that is more than what an application gets that starts quickly. */
    public int extraConvergeSeconds() {
        return convergeSeconds() - LEAST_CONVERGE;
    }

    /** How long a release that fails has to go back: it exchanges as many containers once more. */
    public int backSeconds() {
        return Math.max(LEAST_BACK, BACK_DEPLOY + exchangeSeconds());
    }

    /** How long one release keeps every other from the cluster: from its trial until it has gone back. */
    public int turnSeconds() {
        return startSeconds + TRIAL + DEPLOY + convergeSeconds() + ANSWER + backSeconds();
    }

    /** How long the command of a release may run on a machine: it pulls, waits for the turn of another one, and has its own. */
    public int commandSeconds() {
        return PULL + PREPARE + 2 * turnSeconds();
    }

    /** How long Systems Manager lets it run, which is longer, so that it ends by itself. */
    // at most 172800:
    // https://github.com/aws/amazon-ssm-agent/blob/mainline/agent/plugins/pluginutil/pluginutil.go
    public int stepSeconds() {
        return commandSeconds() + END;
    }

    /** How long a deploy waits for the answer of a machine. */
    // at most 43200: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-waitcondition.html
    public int answerSeconds() {
        return stepSeconds() + ANOTHER_MACHINE;
    }

    private static int ceilDiv(int amount, int by) {
        return (amount + by - 1) / by;
    }
}
