package Tomo::Fresh::Shop;

# What an operator does after installing the packages, as the README says, and
# the friends of that shop: LINE's stand-in runs outside, its socket and
# certificate are shown inside.
#
#   my $shop = Tomo::Fresh::Shop->new(root => $root, inside => sub { ... },
#       edge => $port, tls => $port, sim => $port);
#   $shop->secrets; $shop->worker; $shop->site; $shop->redis;
#   $shop->simulator;
#   my $user_id = $shop->greeted('Hanako');
#   $shop->leave;

use strict;
use warnings;
use File::Path ();
use HTTP::Tiny ();
use JSON::PP ();
use Test::More ();
use Tomo::Fresh;

my $CERTIFICATE = '/etc/ssl/crm.example.jp';

sub new {
    my ($class, %o) = @_;
    return bless { http => HTTP::Tiny->new(timeout => 10), %o }, $class;
}

sub at { return $_[0]{root} . $_[1] }

sub inside { my ($self, @command) = @_; return $self->{inside}->(60, @command) }

# Changes a file inside; each pair is a pattern and what stands there then.
sub edit {
    my ($self, $path, @changes) = @_;
    my $text = slurp($self->at($path));
    while (my ($pattern, $by) = splice @changes, 0, 2) {
        $text =~ s/$pattern/$by/ or die "$path: nothing like $pattern in it\n";
    }
    spew($self->at($path), $text);
    return;
}

# --- the operator's part ------------------------------------------------------

sub secrets {
    my ($self) = @_;
    spew($self->at('/etc/tomo/shop.secret'), '0123456789abcdef' x 2 . "\n");
    spew($self->at('/etc/tomo/shop.bot'),    'U' . '0' x 31 . "1\n");
    $self->inside('chmod', '600',   '/etc/tomo/shop.secret');
    $self->inside('chown', 'tomo:', '/etc/tomo/shop.secret');
    return;
}

# Only what the stand-in needs differs from the example.
sub worker {
    my ($self) = @_;
    $self->edit('/etc/tomo/worker.ini',
        qr{^base_url = .*}m => "base_url = http://127.0.0.1:$self->{edge}",
        qr{^(?=\[api\])}m =>
            "[line]\nunix_socket = /srv/sim/line.sock\nca_file = /srv/sim/ca.pem\n\n");
    return;
}

# The example site with a certificate, and one door without TLS.
sub site {
    my ($self, $listen) = @_;
    my $site = slurp($self->at(
        '/usr/share/doc/libnginx-mod-http-tomo/examples/nginx-site.conf'));
    $listen //= 'listen 443 ssl http2;';
    $site =~ s{listen 443 ssl http2;}{$listen\n    listen 127.0.0.1:$self->{edge};}
        or die "no listen in the example\n";
    spew($self->at('/etc/nginx/conf.d/tomo.conf'), $site);
    File::Path::make_path($self->at('/etc/ssl'));
    must('openssl', qw(req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2
        -subj /CN=crm.example.jp), '-keyout', $self->at("$CERTIFICATE.key"),
        '-out', $self->at("$CERTIFICATE.pem"));
    return;
}

sub redis {
    my ($self) = @_;
    my $file = '/etc/redis/redis.conf';
    my $text = slurp($self->at($file));
    spew($self->at($file), "$text\ninclude /usr/share/tomo/conf/redis.conf\n");
    return;
}

# --- LINE's stand-in -------------------------------------------------------------

sub simulator {
    my ($self) = @_;
    my $dir = $self->at('/srv/sim');
    File::Path::make_path($dir);
    spew("$dir/channel-id", "1234567890\n");
    spew("$dir/channel-secret", slurp($self->at('/etc/tomo/shop.secret')));
    spew("$dir/bot-user-id",    slurp($self->at('/etc/tomo/shop.bot')));
    spew("$dir/clock", "\0" x 8);
    $self->{sim_pid} = fork // die "fork: $!\n";
    if (!$self->{sim_pid}) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        exec 'node', "$Tomo::Fresh::TOP/scripts/simulator/main.mjs", '--dir', $dir,
            '--port', $self->{sim}, '--account', 'shop',
            '--edge-url', "http://127.0.0.1:$self->{edge}"
            or exit 127;
    }
    Test::More::ok(wait_until(20, sub { -S "$dir/line.sock" }), 'the simulator runs')
        or Test::More::diag(slurp("$dir/log"));
    chmod 0777, "$dir/line.sock";
    chmod 0755, $dir;
    return;
}

sub leave {
    my ($self) = @_;
    my $pid = delete $self->{sim_pid} or return;
    kill 'TERM', $pid;
    waitpid $pid, 0;
    return;
}

# --- asking ------------------------------------------------------------------------

# (status, document or text)
sub call {
    my ($self, $method, $url, $document, %headers) = @_;
    my %args = (headers => \%headers);
    $args{content} = JSON::PP::encode_json($document) if defined $document;
    my $r = $self->{http}->request($method, $url, \%args);
    return ($r->{status}, eval { JSON::PP::decode_json($r->{content}) } // $r->{content});
}

sub edge { my ($self, $path) = @_; return $self->call('GET', $self->edge_url($path)) }

sub edge_url { return "http://127.0.0.1:$_[0]{edge}$_[1]" }

sub status { return ($_[0]->edge('/tomo/status?format=json'))[1] }

# --- friends ---------------------------------------------------------------------------

# A person adds the account; the user id.
sub added {
    my ($self, $name) = @_;
    my (undef, $friend) = $self->call('POST', "http://127.0.0.1:$self->{sim}/sim/friends",
        { display_name => $name });
    return $friend->{user_id};
}

sub inbox {
    my ($self, $id) = @_;
    my (undef, $list) = $self->call('GET', "http://127.0.0.1:$self->{sim}/sim/friends/$id/inbox");
    return ref $list eq 'ARRAY' ? @$list : ();
}

# All words of the messages that came.
sub texts {
    my ($self, $id) = @_;
    return join "\n", map { map { $_->{text} // '' } @{ $_->{messages} } } $self->inbox($id);
}

# ... and is greeted; the user id.
sub greeted {
    my ($self, $name, $limit_s) = @_;
    my $id = $self->added($name);
    Test::More::ok(wait_until($limit_s // 30, sub { $self->inbox($id) }), "$name is greeted")
        or Test::More::diag($self->{log} ? $self->{log}->() : ());
    return $id;
}

# The whole path of a new friend: greeted, a link tapped, a survey answered.
sub journey {
    my ($self, $name) = @_;
    require Tomo::Test;
    require Tomo::Test::Survey;
    my $id = $self->greeted($name);
    my ($link, $survey) = map { $self->texts($id) =~ m{127\.0\.0\.1:$self->{edge}(/$_/[\w-]+)} }
        qw(r s);
    my $tap = Tomo::Test::http_get($self->{edge}, $link, 'User-Agent' => 'Line/15.12.1');
    Test::More::is($tap && $tap->{status}, 302, "$name: the link leads on");
    my $page = Tomo::Test::Survey->open($self->{edge}, $survey);
    $page->fill('name',      $name);
    $page->fill('birth',     '1990-04-01');
    $page->fill('interests', [qw(coffee sweets)]);
    my $answer = $page->post;
    Test::More::is($answer && $answer->{status}, 303, "$name: the survey is taken");
    my $friend;
    wait_until(30, sub {
        $friend = $self->friend($id);
        return @{ $friend->{tags} || [] } == 3 && $friend->{fields}{'birth-date'};
    });
    Test::More::is(join(' ', sort @{ $friend->{tags} || [] }),
        'likes-coffee likes-sweets saw-catalog', "$name: tap and answers set the tags");
    Test::More::is($friend->{fields}{'birth-date'}, '1990-04-01', "$name: answers fill fields");
    return $id;
}

# What the API knows of a person: a document, or nothing.
sub friend {
    my ($self, $id) = @_;
    chomp(my $token = slurp($self->at('/etc/tomo/api-token')));
    my ($status, $body) = $self->call('GET',
        $self->edge_url("/api/v1/accounts/shop/friends?user_id=$id"),
        undef, authorization => "Bearer $token");
    return $status == 200 && ref $body ? $body->{friends}[0] : undef;
}

1;
