package reports
import ("testing")
func TestX(t *testing.T){
 r:=sample()
 _, err := WriteAll("/tmp/r/out", r, Formats()); if err!=nil{t.Fatal(err)}
}
